/** Opens the database named by its first argument, and kills itself at the step whose number is its second. */
import "./cheap-hashes.ts";
import { openDatabase } from "../../src/server/database/database.ts";

const [path = "", deadly = ""] = process.argv.slice(2);
let steps = 0;
const database = await openDatabase(path, () => {
  if (steps++ === Number(deadly)) process.kill(process.pid, "SIGKILL");
});
database.close();
console.log(steps);
