/** Which side dials for a transfer first. */
import { expect, test } from "bun:test";

import { streamPlace } from "../../../../src/client/file/transfer/streams.ts";
import type { PeerLink } from "../../../../src/client/peer/link.ts";

type Link = PeerLink;

/** A link, as far as this is about it. */
function link(isDialled: boolean, port: number, isOpen = true): Link {
  return {
    isDialled,
    isOpen,
    way: "direct",
    remoteAddress: "192.0.2.1",
    remotePort: port,
    peer: {},
  } as unknown as Link;
}

test("whoever has dialled the link dials first, to where it leads", () => {
  const current = link(true, 9_000);
  expect(streamPlace({ current, open: [current] }, false)).toMatchObject({
    isFirst: true,
    target: { ip: "192.0.2.1", port: 9_000 },
  });
  const accepted = link(false, 40_000);
  expect(streamPlace({ current: accepted, open: [accepted] }, true)).toMatchObject({
    isFirst: false,
    target: undefined,
  });
});

test("where each side has dialled a link, whichever it writes on, the decider alone dials first", () => {
  const [dialled, accepted] = [link(true, 9_000), link(false, 40_000)];
  for (const current of [dialled, accepted])
    for (const isDecider of [true, false])
      expect(streamPlace({ current, open: [dialled, accepted] }, isDecider)).toMatchObject({
        isFirst: isDecider,
        target: { port: 9_000 },
      });
});

test("without a link, or with one that is ending, nobody dials", () => {
  expect(streamPlace({ current: undefined, open: [] }, true)).toBeUndefined();
  expect(streamPlace({ current: link(true, 9_000, false), open: [] }, true)).toBeUndefined();
});
