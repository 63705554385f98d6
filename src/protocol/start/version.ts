/** Which program this is. */
import { version } from "../../../package.json" with { type: "json" };

/** Set when an executable is built; "" where that was not in a clone. */
declare const PALOMA_COMMIT: string | undefined;

/** Whether this is an executable of its own, without the source beside it. */
export const isExecutable = typeof PALOMA_COMMIT === "string";

/** `1.0.0 (3f2a91bc04d7)`: the version, and the commit if it is known. @param run runs git */
export function versionText(run: typeof Bun.spawnSync): string {
  const commit = typeof PALOMA_COMMIT === "string" ? PALOMA_COMMIT : sourceCommit(run);
  return commit === "" ? version : `${version} (${commit})`;
}

/** The commit of the clone in which this file is; "": it is in none, or there is no git. */
function sourceCommit(run: typeof Bun.spawnSync): string {
  try {
    const cmd = ["git", "-C", import.meta.dir, "rev-parse", "--show-prefix", "--short=12", "HEAD"];
    const { stdout, success } = run({ cmd, stderr: "ignore" });
    const [folder, commit = ""] = stdout.toString().split("\n");
    // Else it is a copy in the clone of something else.
    return success && folder === "src/protocol/start/" ? commit : "";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
