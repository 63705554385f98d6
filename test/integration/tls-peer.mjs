// One end of one mutual TLS 1.3 connection, by Node's tls. Arguments and output are those of tls-peer.py.

import { readFileSync } from "node:fs";
import { connect, createServer } from "node:tls";

const WAIT = 20_000;

const [role, folder, port, servername] = process.argv.slice(2);
const options = {
  key: readFileSync(`${folder}/key.pem`),
  cert: readFileSync(`${folder}/cert.pem`),
  ca: readFileSync(`${folder}/ca.pem`),
  minVersion: "TLSv1.3",
  rejectUnauthorized: true,
  requestCert: true,
};

setTimeout(() => finish({ error: "nothing came" }), WAIT).unref();

if (role === "server") {
  const server = createServer(options, (socket) => {
    socket.write("from the node server\n");
    converse(socket);
  });
  server.on("tlsClientError", (error) => finish({ error: error.message }));
  server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
} else {
  converse(connect({ ...options, host: "127.0.0.1", port: Number(port), servername }));
}

function converse(socket) {
  let text = "";
  socket.on("data", (data) => {
    text += data.toString("utf8");
    if (!text.endsWith("\n")) return;
    const peer = [socket.getPeerCertificate().subject.CN].flat();
    const outcome = { version: socket.getProtocol(), peer, line: text.trim() };
    if (role === "client") socket.end("from the node client\n", () => finish(outcome));
    else finish(outcome);
  });
  socket.on("error", (error) => finish({ error: error.message }));
  socket.on("close", () => finish({ error: "closed before a line came" }));
}

function finish(outcome) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
}
