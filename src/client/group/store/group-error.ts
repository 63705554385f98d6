/** Why something that is asked of a group is not done. */
export type GroupFault =
  | "no_such_group"
  /** One does not belong to the group. */
  | "not_a_member"
  /** The other one does not belong to it. */
  | "no_such_member"
  /** Nobody has invited one to it. */
  | "not_invited"
  /** One has left the group. */
  | "left"
  /** One was removed from the group. */
  | "removed"
  | "not_an_admin"
  | "only_admins_write"
  /** The other one stands above, or beside. */
  | "not_above"
  | "already_member"
  | "already_admin"
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
  /** Of the group that one has left or was removed from. */
  readonly title: string | undefined;

  constructor(code: GroupFault, title?: string) {
    super(code);
    this.code = code;
    this.title = title;
  }
}
