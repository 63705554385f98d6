/** What can be chosen about who may write to an account, and by which ways it is reached. */
export { DECISIONS, WHO, type Decision, type Who } from "./conversation/consent.ts";
export { MAX_MUTED } from "./conversation/decisions.ts";
export type { ContactState } from "./profile/consents.ts";
export { RELAY_USES, type RelayUse } from "./disk/schema.ts";
