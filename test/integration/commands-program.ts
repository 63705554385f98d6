/** Runs commands of the client one after another: each line of standard input is one, its end a line of standard output. */
import { ClientHere, type Typed } from "./cli-process.ts";

for await (const line of console) {
  // The end.
  if (line === "") break;
  const ended = await new ClientHere(JSON.parse(line) as Typed).ended;
  console.log(JSON.stringify(ended));
}
