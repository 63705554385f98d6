/**
 * What must hold while two people look at their chat, and nothing fails any more.
 *
 * 1. One connection remains, a direct one if they can dial each other, or punch.
 * 2. If the network of one of them changes, the conversation goes on within seconds, and 1. holds again.
 * 3. What they read is marked as read, and they can verify each other.
 */
import type { SimulatedPerson } from "./simulated-person.ts";
import { areAtHome, directWay, isOpen } from "./site.ts";
import { isEverythingRead } from "./verdict.ts";
import type { World } from "./world.ts";

/** Two who look at the chat have one connection within this time, in ms. */
const CONNECTING = 150_000;
/** Seconds with one connection after which none is about to end. */
const STEADY = 5;
/** How long the server is away, in ms. */
const AWAY = 60_000;
/** Ways on which an attempt may fail for their slowness, in ms. */
const SLOW = 300;
/** The longest way on which two who dial each other at the same moment surely meet, in ms. */
const QUICK = 50;
/** Two with one connection see a code within this time, and are verified within it once they have confirmed, in ms. */
const VERIFYING = 20_000;
/** Who could dial each other leave the relay within this time, in ms: the longest of `move-schedule.ts` and a try. */
const MOVING = 960_000;
/** How long one connection must last while both have the chat open, in ms. */
const TOGETHER = 40_000;
/** A conversation goes on this soon after the change of a network that its machine notices, and of another one, in ms: it
 * is looked at once a second. */
const GOES_ON = 6_000;
const GOES_ON_UNNOTICED = 45_000;
/** Round trips of that, and ms that it takes more to see that nothing opens where two dial each other at once. */
const ROUND_TRIPS = 12;
const PUNCHING = 4_500;

export async function lookAtTheChat(world: World): Promise<void> {
  const { people, random, fail } = world;
  world.note(() => "both look at the chat");
  for (const { program } of people) program?.openChat();
  await becomeOne(world);
  for (let left = world.isMeeting ? random.integer(3) : 0; left > 0; left--) await changeNetwork(world);
  for (const person of people) person.read();
  // Who could punch may find a better way meanwhile.
  const mayMove = directWay(...people) === "punched" && isRelayed(world);
  if (await world.runTo(TOGETHER, () => !mayMove && !isOne(world)))
    fail("the line of two who look at the chat does not last");
  for (const person of people) {
    if (!isEverythingRead(person, world.otherOf(person))) fail(`${person.name} does not know what was read`);
  }
  if (world.isVerifying) await verifyEachOther(world);
  for (const { program } of people) program?.closeChat();
}

function isOne({ network, people }: World): boolean {
  const isConnected = ({ program }: SimulatedPerson) => program?.conversation.isConnected === true;
  return network.openWays === 1 && network.wholeWays === 1 && people.every(isConnected);
}

function isRelayed({ people }: World): boolean {
  return people.some(({ program }) => program?.conversation.transport.presence.way === "relayed");
}

/** One connection remains, and a direct one if they can dial each other. */
async function becomeOne(world: World): Promise<void> {
  let seconds = 0;
  const isSteady = () => (seconds = isOne(world) && !world.network.isMeeting ? seconds + 1 : 0) >= STEADY;
  if (!(await world.runTo(CONNECTING, isSteady))) world.fail("two who look at the chat have not one line");
  if (!isRelayed(world) || !findsDirectWay(world)) return;
  world.note(() => "both wait for a direct way");
  const isDirect = () => isSteady() && !isRelayed(world);
  if (!(await world.runTo(MOVING, isDirect))) world.fail("two who could dial each other stay at the relay");
}

/** Whether they leave the relay: where the way is slow, what two dial at the same moment may come too late. */
function findsDirectWay({ people, network }: World): boolean {
  const way = directWay(...people);
  const { delay, jitter } = network.weather;
  return way === "dialled" || (way === "punched" && network.punching === "works" && delay + jitter <= QUICK);
}

/** The network of one of them changes in the middle of the conversation. */
async function changeNetwork(world: World): Promise<void> {
  const { random, network, server, sites, people } = world;
  const areOnline = () => people.every(({ program }) => program !== undefined && server.isLoggedIn(program));
  await world.runTo(CONNECTING, areOnline);
  const person = random.pick(people);
  const program = person.program;
  if (program === undefined) return world.fail(`${person.name} is away`);
  const before = person.address;
  const other = { ...person.site, ip: sites.newAddress() };
  const opened = { ...person.site, isOpen: !person.site.isOpen };
  const host = world.otherOf(person).site;
  person.site = random.pick([sites.draw(), other, opened, ...(host.nat === "none" ? [] : [host])]);
  world.note(() => `${person.name}: their network changes to ${JSON.stringify(person.site)}`);
  if (person.site === opened) server.tell(program);
  else {
    network.befall("silent", program);
    server.cut(person, program);
  }
  // At home they need none.
  if (areAtHome(...people) && random.integer(2) === 0) {
    world.note(() => "the server is away");
    server.fail(AWAY);
    network.befall("broken", "all");
  }
  for (const each of people) each.say([10]);
  const { delay, jitter } = network.weather;
  const base = person.address === before ? GOES_ON_UNNOTICED : GOES_ON;
  const soon = base + ROUND_TRIPS * 2 * (delay + jitter) + (people.some(isOpen) ? 0 : PUNCHING);
  // On the slowest ways a handshake over the relay may need more than the 10 s that it has.
  const most = delay < SLOW ? soon : CONNECTING;
  if (!(await world.runTo(most, () => people.every((each) => world.isOut(each)))))
    world.fail("a conversation does not go on after the network has changed");
  await becomeOne(world);
}

async function verifyEachOther(world: World): Promise<void> {
  const { people, fail } = world;
  world.note(() => "both verify each other");
  for (const { disk, program } of people) {
    // The wait after what has failed before.
    disk.database.run("UPDATE contacts SET guesses = 0");
    program?.verify();
  }
  const isShown = () => people.every(({ code }) => code !== undefined);
  if (!(await world.runTo(VERIFYING, isShown))) fail("two who verify each other see no code");
  for (const { program } of people) program?.compare();
  const isDone = () =>
    people.every(({ code, program }) => code === undefined && program?.isVerified === true);
  if (!(await world.runTo(VERIFYING, isDone))) fail("two who have confirmed a code are not verified");
}
