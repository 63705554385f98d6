/** Figures of the rendezvous server: a process without limits, over TLS on loopback. The clients share its cores. */
import { diallerContext } from "../../src/net/tls.ts";
import { newAuthority, serverIdentity } from "../integration/loopback.ts";
import { temporaryFolder } from "../integration/server-process.ts";
import { BareListener } from "./bare-echo.ts";
import type { Report } from "./figures.ts";
import { benchIdle, benchRestart } from "./server-crowd.ts";
import { benchLogins, benchResumes, type Sides } from "./server-logins.ts";
import { line, makeUsers, SERVER_NAME, ServerProgram } from "./server-program.ts";
import { benchRequests } from "./server-requests.ts";

const USERS = 5_000;
/** Users online while requests are measured. */
const ONLINE = [100, 1_000] as const;

/** Logins, resumes, requests, the memory of an idle connection, and a restart. */
export async function benchServer(report: Report): Promise<void> {
  const folder = temporaryFolder();
  const database = `${folder.path}/users.db`;
  const tokens = await makeUsers(database, USERS);
  let server = await ServerProgram.start(database);
  const authority = newAuthority();
  const bare = await BareListener.start({
    identity: serverIdentity(authority),
    answer: line({ action: "login_response", success: true, code: "ok" }),
  });
  try {
    const context = await server.dialContext();
    const bareContext = diallerContext({ authority: authority.certificatePem, serverName: SERVER_NAME });
    const sides: Sides = { server, context, bare, bareContext, tokens };
    await benchIdle(sides, report);
    await benchLogins(sides, report);
    await benchResumes(sides, report);
    for (const online of ONLINE) await benchRequests(server, context, tokens, online, report);
    server = await benchRestart(server, database, context, tokens, report);
  } finally {
    await Promise.all([server.stop(), bare.stop()]);
    folder.remove();
  }
}
