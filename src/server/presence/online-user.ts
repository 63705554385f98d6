type Endpoint = { readonly ip: string; readonly port: number };

/** What a client that speaks PROTOCOL 7 has told or shown of its network. */
export type Reach = {
  /** Ports that its router forwards to it. */
  readonly mapped: readonly Endpoint[];
  /** An address of the other family, from which it has shown a ticket. */
  readonly proven: string | undefined;
  /** Whether its NAT gives each of its connections another port, in the family of its rendezvous link. */
  readonly mapping: "same" | "varies" | undefined;
  /** Where a check has reached it. */
  readonly open: readonly Endpoint[];
};

/** A user who is logged in, for as long as the session lasts, at this server or another one of the same cluster. */
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
  addresses: string;
  /** Undefined until its client says `reach`. */
  reach: Reach | undefined;
  /** Nobody gets an address of it. */
  readonly isRelayOnly: boolean;
  /** Absent for a legacy client, which has no key. */
  readonly key: OnlineKey | undefined;
  readonly session: UserSession;
};

/** One whose session is at this server. */
export type OwnUser = OnlineUser & { readonly session: OnlineSession };

/** As text, which needs less memory than a buffer. */
type OnlineKey = {
  /** SHA-256 of its DER SubjectPublicKeyInfo, in hexadecimal; equal for equal keys. */
  readonly fingerprint: string;
  /** SHA-256 of the session's token, in hexadecimal. */
  readonly tokenHash: string;
};

/** The properties of a requester that decide which addresses it gets, and in which form. */
export type Requester = {
  /** It runs on the server's own machine. */
  readonly isLocal: boolean;
  /** The server sees it in its own networks: at a private address, on loopback or at the server's own address. */
  readonly isInside: boolean;
  /** `networkOf` the address that the server sees. */
  readonly network: string;
  /** The server's address to which it is connected. */
  readonly localAddress: string;
  readonly isLegacy: boolean;
};

/** What others may do with the session of a user, wherever it is. */
export interface UserSession extends Requester {
  /** Sends a notification, unless to a legacy client. */
  push(message: object): void;
}

/** What the server may do with a session of its own. */
export interface OnlineSession extends UserSession {
  /** The connection is not encrypted. */
  readonly isPlain: boolean;
  /** Notifies the client that a user whom it watches came online or went offline. */
  pushPresence(username: string, online: boolean): void;
  /** As `push`, for one line that is already written. */
  pushLine(line: string): void;
  /** Ends the session once everything sent has left; the user is offline at once. */
  end(reason: string): void;
  /** Notifies the client that another session of the user has replaced this one, and ends it. */
  replaced(): void;
}
