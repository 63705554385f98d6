/** What the server's program uses of its process; tests replace it. */
export type HostProcess = Pick<
  NodeJS.Process,
  "env" | "stdin" | "stdout" | "stderr" | "exitCode" | "on" | "exit"
>;
