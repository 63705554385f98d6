/**
 * Which ways an account uses: `only`: those through the server's relay, so that nobody but the server learns an address of
 * it; `never`: those without it.
 */
export const RELAY_USES = ["auto", "only", "never"] as const;
export type RelayUse = (typeof RELAY_USES)[number];
