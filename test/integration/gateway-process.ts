/**
 * A client and a router of the test's, in a network namespace with both of their addresses. Prints a line for each way in
 * which the router is asked for a port.
 */
import { mapByNatPmp, mapByPcp, mapByUpnp, type Way } from "../../src/client/reach/mapping/ways.ts";

const [GATEWAY, STRANGER] = ["192.168.77.2", "192.168.77.3"];
const NONCE = Buffer.alloc(12, 7);

async function tell(name: string, way: Way): Promise<void> {
  const mapped = await way(GATEWAY, 9_000, NONCE);
  if (typeof mapped === "string") return console.log(`${name}: ${mapped}`);
  const released = await mapped.release();
  const answer = typeof released === "object" ? "given back" : String(released);
  console.log(`${name}: ${mapped.ip} ${mapped.port} ${mapped.lifetime}, ${answer}`);
}

// Nobody listens there yet.
await tell("PCP without a service", mapByPcp);

const outer = [80, 1, 0, 11];
const gateway = await Bun.udpSocket({
  hostname: GATEWAY,
  port: 5_351,
  socket: {
    data: (socket, request, port, from) => {
      const answer = Buffer.from(request);
      if (request[0] === 2) {
        answer[1] = 0x81;
        answer.fill(0, 8, 24);
        answer.set([...Array<number>(10).fill(0), 0xff, 0xff, ...outer], 44);
        // The wanted port has another machine.
        answer.writeUInt16BE(9_001, 42);
        const stale = Buffer.from(answer);
        stale.fill(0, 24, 36);
        socket.send(stale, port, from);
      } else if (request[1] === 0)
        return void socket.send(Buffer.from([0, 128, 0, 0, 0, 0, 0, 1, ...outer]), port, from);
      else
        return void socket.send(
          Buffer.concat([Buffer.from([0, 130, 0, 0, 0, 0, 0, 1]), request.subarray(4)]),
          port,
          from,
        );
      socket.send(answer, port, from);
    },
  },
});
await tell("PCP", mapByPcp);
await tell("NAT-PMP", mapByNatPmp);
gateway.close();

/** How the description is answered, and with which errors AddPortMapping is, one after the other; then it succeeds. */
let describe = (_url: URL): Response => new Response("");
let errors: number[] = [];
const actions: string[] = [];
const router = Bun.serve({
  hostname: GATEWAY,
  port: 0,
  fetch: async (request) => {
    if (request.method === "GET") return describe(new URL(request.url));
    const action = /#(\w+)/.exec(request.headers.get("SOAPAction") ?? "")?.[1] ?? "";
    const body = await request.text();
    const lease = /<NewLeaseDuration>(\d+)/.exec(body)?.[1];
    actions.push([action, /<NewExternalPort>(\d+)/.exec(body)?.[1], lease].filter(Boolean).join(" "));
    const error = action === "AddPortMapping" ? errors.shift() : undefined;
    if (error !== undefined) return new Response(`<errorCode>${error}</errorCode>`, { status: 500 });
    return new Response(`<NewExternalIPAddress>${outer.join(".")}</NewExternalIPAddress>`);
  },
});
const found = (location: string) => `HTTP/1.1 200 OK\r\nLOCATION: ${location}\r\n\r\n`;
const [own, stranger] = await Promise.all(
  [GATEWAY, STRANGER].map((hostname) => Bun.udpSocket({ hostname, socket: { error: () => undefined } })),
);
const shared: Bun.udp.SocketOptions<"buffer"> & { flags: number } = {
  hostname: "0.0.0.0",
  port: 1_900,
  flags: 4,
  socket: {
    data: (_socket, _search, port, from) => {
      stranger?.send(found(`${router.url.href}stranger.xml`), port, from);
      own?.send(found("http://203.0.113.5/foreign.xml"), port, from);
      own?.send(found(`${router.url.href}description.xml`), port, from);
    },
  },
};
const search = await Bun.udpSocket(shared);
search.addMembership("239.255.255.250", "192.168.77.1");

const service = `<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl</controlURL></service>`;
describe = ({ pathname }) => new Response(pathname === "/description.xml" ? service : "");
errors = [718, 718];
await tell("UPnP, two ports taken", mapByUpnp);
errors = [725];
await tell("UPnP, only for ever", mapByUpnp);
errors = [606];
await tell("UPnP, forbidden", mapByUpnp);
console.log(actions.filter((action) => action.startsWith("Add")).join(", "));
describe = () => Response.redirect("http://203.0.113.5/");
await tell("UPnP, a redirect", mapByUpnp);
describe = () => new Response(service + " ".repeat(65_536));
await tell("UPnP, a huge description", mapByUpnp);
describe = () => new Response(service.replace("/ctl", "http://203.0.113.5/ctl"));
await tell("UPnP, a service elsewhere", mapByUpnp);
process.exit();
