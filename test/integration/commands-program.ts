/** Runs commands of the client one after another: each line of standard input is the arguments of one, its end a line of standard output. */
import { ClientHere } from "./cli-process.ts";

for await (const line of console) {
  const ended = await new ClientHere({ args: JSON.parse(line) as string[] }).ended;
  console.log(JSON.stringify(ended));
}
