/** A user as Valkey keeps them: one line of fields, none of which can hold a tab but the last. */
import { isLoopback, isPrivate, networkOf } from "../../protocol/ip-address.ts";
import { tokenId } from "../store/session-token.ts";
import type { OnlineUser, Reach, UserSession } from "../presence/online-user.ts";

const NONE = "-";

/** What comes after the owner and the key in the record of a user. */
export function restOf({ reach, ...user }: OnlineUser): string {
  const fields = [
    user.userId,
    user.since,
    user.ip,
    user.p2pPort,
    user.addresses,
    endpointsText(reach?.mapped ?? []),
    endpointsText(reach?.open ?? []),
    user.isRelayOnly ? "1" : "0",
    // Whether, and how, they can meet: empty until they have said `reach`.
    reach === undefined ? "" : `${reach.mapping ?? NONE} ${reach.proven ?? NONE}`,
    user.key === undefined ? "" : tokenId(user.key.tokenHash),
    user.username,
  ];
  return fields.join("\t");
}

/** `node:sid`, who may change a record. */
export type Owner = { readonly node: string; readonly sid: string };

export function ownerIn(record: string): Owner {
  const [node = "", sid = ""] = record.split("\t", 2);
  return { node, sid };
}

/** Somebody whose session is at another node. */
export class RemoteUser implements OnlineUser, UserSession {
  readonly fold: string;
  readonly sid: string;
  readonly node: RemoteNode;
  readonly userId: number;
  readonly username: string;
  readonly since: number;
  readonly ip: string;
  readonly p2pPort: number;
  readonly isRelayOnly: boolean;
  readonly key: OnlineUser["key"];
  addresses: string;
  reach: Reach | undefined;

  constructor(fold: string, record: string, node: RemoteNode) {
    const fields = record.split("\t");
    const [, sid = "", print = "", id, since, ip = "", port, , , , relayOnly, , token = ""] = fields;
    this.fold = fold;
    this.sid = sid;
    this.node = node;
    this.userId = Number(id);
    this.username = fields.slice(13).join("\t");
    this.since = Number(since);
    this.ip = ip;
    this.p2pPort = Number(port);
    this.isRelayOnly = relayOnly === "1";
    // Of the token only what the operator is shown is known here.
    this.key = print === "" ? undefined : { fingerprint: print, tokenHash: token };
    this.addresses = "";
    this.move(record);
  }

  /** Takes over what can change in a session. @returns whether the addresses are others */
  move(record: string): boolean {
    const fields = record.split("\t");
    const [addresses = "", mapped = "", open = ""] = fields.slice(7, 10);
    const meeting = fields[11] ?? "";
    const [mapping = NONE, proven = NONE] = meeting.split(" ");
    const moved = addresses !== this.addresses;
    this.addresses = addresses;
    this.reach =
      meeting === ""
        ? undefined
        : {
            mapped: endpoints(mapped),
            open: endpoints(open),
            mapping: mapping === "same" || mapping === "varies" ? mapping : undefined,
            proven: proven === NONE ? undefined : proven,
          };
    return moved;
  }

  get session(): UserSession {
    return this;
  }

  push(message: object): void {
    this.node.push(this.sid, message);
  }

  get network(): string {
    return networkOf(this.ip);
  }

  get isInside(): boolean {
    return isPrivate(this.ip);
  }

  get isLocal(): boolean {
    return isLoopback(this.ip);
  }

  get localAddress(): string {
    return this.ip;
  }

  get isLegacy(): boolean {
    return this.key === undefined;
  }
}

/** Another node, by which its users are reached. */
export type RemoteNode = { readonly name: string; push(sid: string, message: object): void };

type Endpoint = Reach["mapped"][number];

function endpointsText(all: readonly Endpoint[]): string {
  return all.map(({ ip, port }) => `${ip},${port}`).join(" ");
}

function endpoints(text: string): Endpoint[] {
  if (text === "") return [];
  return text.split(" ").map((each) => {
    const [ip = "", port = ""] = each.split(",");
    return { ip, port: Number(port) };
  });
}
