/** A user who is logged in, for as long as the session lasts. */
export type OnlineUser = {
  readonly userId: number;
  readonly username: string;
  readonly fold: string;
  /** When this session began, in ms since 1970. */
  readonly since: number;
  /** The address that the server saw. */
  readonly ip: string;
  readonly p2pPort: number;
  /** Further addresses that the client reported, separated by spaces: a string is smaller than an array. */
  readonly addresses: string;
  /** Absent for a legacy client, which has no key. */
  readonly key: OnlineKey | undefined;
  readonly session: OnlineSession;
};

/** As text, which needs less memory than a buffer. */
type OnlineKey = {
  /** SHA-256 of its DER SubjectPublicKeyInfo, in hexadecimal; equal for equal keys. */
  readonly fingerprint: string;
  /** SHA-256 of the session's token, in hexadecimal. */
  readonly tokenHash: string;
};

/** What other sessions and the operator may do with the session of a user. */
export interface OnlineSession {
  /** The connection is not encrypted. */
  readonly isPlain: boolean;
  /** Notifies the client that a user whom it watches came online or went offline. */
  pushPresence(username: string, online: boolean): void;
  /** Sends a notification as one line, unless to a legacy client. */
  pushLine(line: string): void;
  /** Ends the session once everything sent has left; the user is offline at once. */
  end(reason: string): void;
  /** Notifies the client that another session of the user has replaced this one, and ends it. */
  replaced(): void;
}
