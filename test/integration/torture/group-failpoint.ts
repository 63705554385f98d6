/** Put before the client's program: it kills itself once it has signed and stored so many own entries, before any is sent. */
import { StoredLog } from "../../../src/client/group/store/stored-log.ts";

let left = Number(process.env["TORTURE_SIGNED"] ?? Infinity);
// oxlint-disable-next-line typescript/unbound-method -- it is called on the log
const write = StoredLog.prototype.write;
StoredLog.prototype.write = function (batch) {
  const written = write.call(this, batch);
  left -= batch.entries.filter(({ draft }) => draft !== undefined).length;
  if (left <= 0) process.kill(process.pid, "SIGKILL");
  return written;
};
