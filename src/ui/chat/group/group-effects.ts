/** The effects of a chat on groups. */
import type { Texts } from "../../texts/texts.ts";
import type { GroupEffect } from "./model.ts";

export type GroupEffectTable = {
  readonly [E in GroupEffect as E["name"]]: (effect: E) => void;
};

export function groupEffects(
  texts: Texts,
  dispatch: (event: { readonly name: "failed"; readonly sentence: string }) => void,
): GroupEffectTable {
  const none = () => dispatch({ name: "failed", sentence: texts.groupsUnavailable });
  return {
    createGroup: none,
    addToGroup: none,
    removeFromGroup: none,
    leaveGroup: none,
    acceptGroup: none,
    declineGroup: none,
    makeAdmin: none,
    renameGroup: none,
    keepGroup: none,
    copyGroup: none,
    listMembers: none,
    unfold: none,
    noticesShown: none,
  };
}
