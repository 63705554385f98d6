/** People of one group, each with a messenger: what the tests of groups share. */
import type { SharedGroup } from "../../src/client/conversation/events.ts";
import { until, untilQuiet, type Person } from "./messenger-pair.ts";

export const groupOf = (person: Person, group: string): SharedGroup | undefined =>
  person.messenger.groups.shown.all().find((each) => each.group === group);

export const stateOf = (person: Person, group: string) => groupOf(person, group)?.state;

/** The group of these people, all of whom have joined; the first has founded it. */
export async function together(founder: Person, ...others: readonly Person[]): Promise<string> {
  const { group } = await founder.messenger.groups.actions.create("Familia", "admins", "all");
  await founder.messenger.groups.actions.add(
    group,
    others.map(({ name }) => name),
    "all",
  );
  for (const other of others) {
    await until(() => stateOf(other, group) === "invited");
    await other.messenger.groups.actions.accept(group);
  }
  const all = [founder, ...others];
  await untilQuiet(() => all.every((each) => groupOf(each, group)?.people === all.length));
  return group;
}

export const textOf = (person: Person, from: string, group: string) =>
  person
    .of("message")
    .filter((event) => event.from === from && event.group === group)
    .map(({ message }) => message.text);
