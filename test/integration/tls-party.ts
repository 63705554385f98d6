import { join } from "node:path";
import { readCertificate } from "../../src/identity/certificate-reader.ts";

const TLS_1_3 = 0x0304;
const SSL_OP_NO_TICKET = 0x4000;

/** What one end saw: the TLS version, the other's common names, the line that the other sent; or why there was none. */
export type Outcome = { version: string; peer: string[]; line: string } | { error: string };

/** A program that can be either end of one connection; `files` is a folder with key.pem, cert.pem, ca.pem. */
export type Party = {
  name: string;
  serve(files: string): Promise<{ port: number; outcome: Promise<Outcome> }>;
  dial(files: string, port: number, serverName: string): Promise<Outcome>;
};

/** Python's ssl, Node's tls and Bun's own sockets, in this order. Each end is for one connection and ends by itself. */
export function tlsParties(): [Party, Party, Party] {
  return [
    programParty("python", ["python3", join(import.meta.dir, "tls-peer.py")]),
    programParty("node", ["node", join(import.meta.dir, "tls-peer.mjs")]),
    bunParty(),
  ];
}

function programParty(name: string, command: string[]): Party {
  const start = (...args: string[]) =>
    Bun.spawn([...command, ...args], { stdout: "pipe", stderr: "inherit" });
  return {
    name,
    async serve(files) {
      const lines = linesOf(start("server", files).stdout);
      const port = Number((await lines.next()).value);
      return { port, outcome: lines.next().then((line) => parseOutcome(line.value)) };
    },
    async dial(files, port, serverName) {
      const lines = linesOf(start("client", files, String(port), serverName).stdout);
      return parseOutcome((await lines.next()).value);
    },
  };
}

function bunParty(): Party {
  const tls = async (files: string) => ({
    key: await Bun.file(join(files, "key.pem")).text(),
    cert: await Bun.file(join(files, "cert.pem")).text(),
    ca: await Bun.file(join(files, "ca.pem")).text(),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: TLS_1_3,
  });
  const handlers = (
    role: "server" | "client",
    settle: (outcome: Outcome) => void,
  ): Bun.SocketHandler<undefined> => ({
    handshake(socket, _, error) {
      if (error !== null || !socket.authorized) {
        settle({ error: String(error) });
        socket.terminate();
      } else if (role === "server") socket.write("from the bun server\n");
    },
    data(socket, data) {
      const peer = readCertificate(socket.getPeerX509Certificate()).commonNames;
      settle({ version: socket.getTLSVersion(), peer, line: data.toString("utf8").trim() });
      if (role === "client") socket.end("from the bun client\n");
    },
    error: (_, error) => settle({ error: error.message }),
    close: () => settle({ error: "closed before a line came" }),
  });
  return {
    name: "bun",
    async serve(files) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const options = { ...(await tls(files)), secureOptions: SSL_OP_NO_TICKET };
      const socket = handlers("server", resolve);
      const listener = Bun.listen<undefined>({
        hostname: "127.0.0.1",
        port: 0,
        tls: options,
        socket,
        data: undefined,
      });
      return { port: listener.port, outcome: promise.finally(() => listener.stop()) };
    },
    async dial(files, port, serverName) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const options = { ...(await tls(files)), serverName };
      const socket = handlers("client", resolve);
      await Bun.connect<undefined>({ hostname: "127.0.0.1", port, tls: options, socket, data: undefined });
      return promise;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
  return text;
}

function parseOutcome(line: string): Outcome {
  return JSON.parse(line) as Outcome;
}
