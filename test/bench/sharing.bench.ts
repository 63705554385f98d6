/** What a command costs beside a process that is online, and alone: from its start to its end, and of the processor. */
import { PASSWORD, World, type Person } from "../integration/cli-process.ts";
import { interleaved, median, type Report } from "./figures.ts";

/** Pairs of runs; each figure is the median. */
const PAIRS = 15;

type Cost = { readonly wall: number; readonly processor: number };

/** Runs a command that must succeed; ms. */
async function costOf(person: Person, args: readonly string[]): Promise<Cost> {
  const begin = performance.now();
  const client = person.startApart(args);
  const { code, stderr } = await client.ended;
  const wall = performance.now() - begin;
  if (code !== 0) throw new Error(stderr);
  return { wall, processor: Number(client.process.resourceUsage()?.cpuTime.total ?? 0n) / 1_000 };
}

async function loggedIn(world: World, name: string, port: number): Promise<Person> {
  const person = world.person(name, port);
  await person.register();
  const { code, stderr } = await person.run(["users"], { password: PASSWORD });
  if (code !== 0) throw new Error(stderr);
  return person;
}

/** `send` and `users`, in pairs: ours beside a `listen` of the same account, bare alone. */
export async function benchSharing(report: Report): Promise<void> {
  const world = new World();
  try {
    const { tlsPort } = await world.server();
    const [beside, alone, beto] = [
      await loggedIn(world, "beside", tlsPort),
      await loggedIn(world, "alone", tlsPort),
      await loggedIn(world, "beto", tlsPort),
    ];
    await beto.listen();
    await beside.listen();
    const starts: number[] = [];
    for (let index = 0; index < PAIRS; index++) starts.push((await costOf(alone, ["--version"])).processor);
    report({ name: "the start of the program alone, of the processor", unit: "ms", ours: median(starts) });
    for (const args of [["send", "beto", "hello"], ["users"]]) {
      const processor = { ours: [] as number[], bare: [] as number[] };
      const timed = (person: Person, into: number[]) => async () => {
        const cost = await costOf(person, args);
        into.push(cost.processor);
        return cost.wall;
      };
      const wall = await interleaved(timed(beside, processor.ours), timed(alone, processor.bare), PAIRS);
      report({ name: `${args[0]} beside listen (bare: alone)`, unit: "ms", ...wall });
      report({
        name: "the same, of the processor",
        unit: "ms",
        ours: median(processor.ours),
        bare: median(processor.bare),
      });
    }
  } finally {
    await world.close();
  }
}
