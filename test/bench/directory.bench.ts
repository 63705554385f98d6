/**
 * The list of everybody online with 1,000,000 entries: its memory, how long it takes to be filled, a page, and somebody
 * who comes and leaves; beside the latter one sorted array. Alone in its run (`bun run bench directory`) the memory is
 * its own.
 */
import type { OnlineUser } from "../../src/server/presence/online-user.ts";
import { Presence } from "../../src/server/presence/presence.ts";
import { UserDirectory } from "../../src/server/presence/user-directory.ts";
import { seededRandom } from "../seeded-random.ts";
import { residentKib } from "./bare-echo.ts";
import { interleaved, type Report } from "./figures.ts";

const USERS = 1_000_000;
const SEED = 5;
/** Changes, and pages, in one round. */
const CHANGES = 1_000;
const PAGES = 200;
const PAGE = 100;
const KIB_IN_MIB = 1_024;
const US_IN_MS = 1_000;

export async function benchDirectory(report: Report): Promise<void> {
  const random = seededRandom(SEED);
  Bun.gc(true);
  const before = residentKib(process.pid);
  const users = Array.from({ length: USERS }, (_, index) => makeUser(random.integer(2 ** 32), index));
  const begun = performance.now();
  const presence = new Presence<OnlineUser>();
  for (const user of users) presence.enter(user);
  const filled = performance.now() - begun;
  const sorted = users.map(({ fold }) => fold).sort();
  Bun.gc(true);
  const of = `of ${USERS.toLocaleString("en")}`;
  const mebibytes = (residentKib(process.pid) - before) / KIB_IN_MIB;
  report({ name: `the directory ${of}: memory with its users`, unit: "MiB", ours: mebibytes });
  report({ name: `the directory ${of}: filled in a random order`, unit: "ms", ours: filled });

  const some = () => users[random.integer(USERS)] as OnlineUser;
  const perChange = (change: (user: OnlineUser) => void) => {
    const start = performance.now();
    for (let index = 0; index < CHANGES; index++) change(some());
    return ((performance.now() - start) / CHANGES) * US_IN_MS;
  };
  const changed = await interleaved(
    () =>
      perChange((user) => {
        presence.leave(user);
        presence.enter(user);
      }),
    () =>
      perChange(({ fold }) => {
        const index = indexOf(sorted, fold);
        sorted.splice(index, 1);
        sorted.splice(index, 0, fold);
      }),
  );
  report({ name: "somebody leaves it and enters (bare: one sorted array)", unit: "µs", ...changed });

  const directory = new UserDirectory(presence);
  const requester = {
    isLocal: false,
    isInside: false,
    network: "198.51.100.9",
    localAddress: "203.0.113.1",
    isLegacy: false,
  };
  const start = performance.now();
  for (let index = 0; index < PAGES; index++) {
    const after = some().username;
    directory.usersList(requester, { prefix: undefined, limit: PAGE, after }, some());
  }
  const page = ((performance.now() - start) / PAGES) * US_IN_MS;
  report({ name: `a page of ${PAGE}, written for the first time`, unit: "µs", ours: page });
}

function makeUser(part: number, index: number): OnlineUser {
  const fold = `user-${part.toString(36)}-${index}`;
  return {
    userId: index,
    username: fold,
    fold,
    since: 0,
    ip: `203.0.${(index >> 8) & 255}.${index & 255}`,
    p2pPort: 9_000,
    addresses: "",
    reach: undefined,
    isRelayOnly: false,
    key: {
      fingerprint: index.toString(16).padStart(64, "0"),
      tokenHash: index.toString(16).padStart(64, "1"),
    },
    session: undefined as unknown as OnlineUser["session"],
  };
}

/** The index of the first name that is not before `fold`. */
function indexOf(sorted: readonly string[], fold: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < fold) low = middle + 1;
    else high = middle;
  }
  return low;
}
