/** The variables of a process, and the home folder in a path. */

export type Environment = { readonly [name: string]: string | undefined };

/** A variable of ours; undefined if it is empty. A final line end comes from a file with Windows line ends, and is dropped. */
export function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.replace(/(?:\r\n|\r|\n)$/, "");
  return value === "" ? undefined : value;
}

/** A path with the home folder in place of a leading `~`, as a shell has it. @param home undefined or empty: unknown */
export function expandHome(path: string, home: string | undefined): string {
  return home === undefined || home === "" ? path : path.replace(/^~(?=\/|$)/, () => home);
}
