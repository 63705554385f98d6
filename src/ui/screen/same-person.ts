/** Whether two spellings are one name: the server takes names in any case (PROTOCOL 3). */
function folded(name: string): string {
  return name.normalize("NFC").toLowerCase().normalize("NFC");
}

/** True for the same registered name in whatever spelling. */
export function isSamePerson(one: string, other: string): boolean {
  return one === other || folded(one) === folded(other);
}
