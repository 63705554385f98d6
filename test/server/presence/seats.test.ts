import { Presence } from "../../../src/server/presence/presence.ts";
import type { OnlineUser, OwnUser } from "../../../src/server/presence/online-user.ts";
import { OwnSeats } from "../../../src/server/presence/seats.ts";
import { seatsContract } from "./seats-contract.ts";

seatsContract(async () => {
  const presence = new Presence<OnlineUser, OwnUser>();
  const seats = new OwnSeats(presence, () => undefined);
  return { seats, presence, settled: async () => undefined, stop: async () => undefined };
});
