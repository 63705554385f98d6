/** Why something that is asked of a group is not done. */
export type GroupFault =
  | "no_such_group"
  /** One does not belong to the group, or the other one does not. */
  | "not_a_member"
  /** One has left the group. */
  | "left"
  /** One was removed from the group. */
  | "removed"
  | "not_an_admin"
  | "only_admins_write"
  /** The other one stands above, or beside. */
  | "not_above"
  | "already_member"
  | "group_full"
  /** So many invitations wait that no more are taken. */
  | "too_many_invitations"
  /** What changes a group is signed only beside another member, and none is there. */
  | "nobody_online"
  /** So much was written that one has to wait. */
  | "limited"
  /** One's own entries have forked: an admin has to admit one again. */
  | "forked"
  | "not_supported";

export class GroupError extends Error {
  readonly code: GroupFault;

  constructor(code: GroupFault) {
    super(code);
    this.code = code;
  }
}
