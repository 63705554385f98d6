/** Limits of connections on a system that gives a process fewer descriptors than they need. */
import type { Limits } from "./limits.ts";

/** Of the descriptors for connections, the share of those that are served; the others are on their way out. */
const SERVED = 7 / 8;
/** Of those served, the share that need not be logged in: nobody keeps people out by silence. */
const ANONYMOUS = 1 / 2;

/** The same limits, or lower ones of connections where `descriptors` (for connections) would not do. */
export function withinDescriptors(limits: Limits, descriptors: number): Limits {
  const connections = Math.floor(descriptors * SERVED);
  if (limits.connections <= connections) return limits;
  const anonymous = Math.min(limits.anonymous, Math.floor(connections * ANONYMOUS));
  return { ...limits, connections, anonymous };
}
