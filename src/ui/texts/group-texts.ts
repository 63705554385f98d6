/** Groups. Names and titles passed in are visible text already; `title` has its quotation marks. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

export function personas(count: number): string {
  return plural(count, "1 persona", `${count} personas`);
}

export function people(count: number): string {
  return plural(count, "1 person", `${count} people`);
}

/** `count` of people in `names`, which is their list. */
function verb(count: number, names: string, one: string, other: string): string {
  return `${names} ${plural(count, one, other)}`;
}

export const GROUP_TEXTS = {
  /** The title in quotation marks. */
  groupTitle: {
    es: (title: string) => `«${quotedText(title)}»`,
    en: (title: string) => `“${quotedText(title)}”`,
  },
  groupDaysArgument: { es: "DÍAS|off", en: "DAYS|off" },
  titleArgument: { es: "TÍTULO", en: "TITLE" },

  groupOpened: {
    es: (title: string, count: number) =>
      `Grupo ${title}, ${personas(count)}, cifrado. /help ayuda, exit sale.`,
    en: (title: string, count: number) =>
      `Group ${title}, ${people(count)}, encrypted. /help helps, exit leaves.`,
  },
  /** There are earlier messages. */
  groupOpenedMore: {
    es: (title: string, count: number) =>
      `Grupo ${title}, ${personas(count)}. /help ayuda, exit sale, /more: anteriores.`,
    en: (title: string, count: number) =>
      `Group ${title}, ${people(count)}. /help helps, exit leaves, /more: earlier.`,
  },
  /** `seesEarlier`: one of the two that follow. */
  groupInvitation: {
    es: (by: string, title: string, count: number, seesEarlier: string) =>
      `${by} le invita a ${title} (${personas(count)}). ${seesEarlier} /group accept o /group decline`,
    en: (by: string, title: string, count: number, seesEarlier: string) =>
      `${by} invites you to ${title} (${people(count)}). ${seesEarlier} /group accept or /group decline`,
  },
  groupSeesEarlier: { es: "Verá los mensajes anteriores.", en: "You will see earlier messages." },
  groupSeesNoEarlier: {
    es: "No verá los mensajes anteriores.",
    en: "You will not see earlier messages.",
  },
  groupInvited: {
    es: (by: string, title: string, count: number) => `${by} le invita a ${title} (${personas(count)}).`,
    en: (by: string, title: string, count: number) => `${by} invites you to ${title} (${people(count)}).`,
  },
  groupInvitationWaits: {
    es: (title: string) =>
      `${title} es todavía una invitación: /group accept para entrar, /group decline para rechazarla.`,
    en: (title: string) =>
      `${title} is an invitation so far: /group accept to join, /group decline to decline it.`,
  },
  groupNoInvitation: {
    es: (title: string) => `${title} no es una invitación que espere respuesta.`,
    en: (title: string) => `${title} is not an invitation that waits for an answer.`,
  },
  /** After `groupJoined`. */
  groupEarlierComes: {
    es: "Lo anterior llega de quien esté en línea.",
    en: "What was written before comes from whoever is online.",
  },
  groupJoined: {
    es: (title: string) => `Está en ${title}.`,
    en: (title: string) => `You are in ${title}.`,
  },
  groupLeft: {
    es: (title: string) => `Se fue de ${title}. Lo que tiene se queda aquí; ya no se envía ni llega nada.`,
    en: (title: string) => `You left ${title}. What you have stays; nothing is sent or received any more.`,
  },
  groupDeclined: {
    es: (title: string) => `Rechazó la invitación a ${title}: ya no se envía ni llega nada.`,
    en: (title: string) => `You declined the invitation to ${title}: nothing is sent or received.`,
  },
  groupRemoved: {
    es: (title: string) =>
      `Ya no está en ${title}. Lo que tiene se queda aquí; ya no se envía ni llega nada.`,
    en: (title: string) =>
      `You are no longer in ${title}. What you have stays; nothing is sent or received any more.`,
  },
  groupRemovedBy: {
    es: (by: string, title: string) =>
      `${by} le ha sacado de ${title}. Lo que tiene se queda aquí; ya no se envía ni llega nada.`,
    en: (by: string, title: string) =>
      `${by} removed you from ${title}. What you have stays; nothing is sent or received any more.`,
  },
  groupOnlyAdminsWrite: {
    es: "En este grupo solo escriben los administradores.",
    en: "Only admins write in this group.",
  },
  groupToInvite: {
    es: (names: string) => `Por invitar, en cuanto haya conexión: ${names}.`,
    en: (names: string) => `To be invited as soon as there is a link: ${names}.`,
  },

  /** Of texts that came and went together, joined by « · ». */
  groupTheyJoined: {
    es: (names: string, count: number) => verb(count, names, "se ha unido", "se han unido"),
    en: (names: string, _count: number) => `${names} joined`,
  },
  groupTheyLeft: {
    es: (names: string, count: number) => verb(count, names, "se ha ido", "se han ido"),
    en: (names: string, _count: number) => `${names} left`,
  },
  groupTheyRemoved: {
    es: (by: string, names: string) => `${by} ha sacado a ${names}`,
    en: (by: string, names: string) => `${by} removed ${names}`,
  },
  groupTheyAdded: {
    es: (by: string, names: string) => `${by} ha invitado a ${names}`,
    en: (by: string, names: string) => `${by} invited ${names}`,
  },
  groupTheyReadmitted: {
    es: (by: string, names: string) => `${by} ha admitido de nuevo a ${names}`,
    en: (by: string, names: string) => `${by} admitted ${names} again`,
  },
  groupYouReadmitted: {
    es: (by: string, title: string) =>
      `${by} le ha admitido de nuevo en ${title}: puede volver a escribir, y sale lo que esperaba.`,
    en: (by: string, title: string) =>
      `${by} admitted you again to ${title}: you can write again, and what waited is sent.`,
  },
  groupTheyAdmin: {
    es: (names: string, count: number) => verb(count, names, "ya administra", "ya administran"),
    en: (names: string, count: number) => verb(count, names, "is an admin now", "are admins now"),
  },
  groupYouAdmin: {
    es: (title: string) =>
      `Usted administra ahora ${title}: puede invitar y sacar a personas, y nombrar a otras.`,
    en: (title: string) =>
      `You are an admin of ${title} now: you can invite and remove people, and make other admins.`,
  },
  groupTheyRenamed: {
    es: (by: string, title: string) => `${by} ha llamado al grupo ${title}`,
    en: (by: string, title: string) => `${by} named the group ${title}`,
  },
  groupFork: {
    es: (user: string, typed: string, number: number) =>
      `Los mensajes de ${user} se han bifurcado en el ${number} (¿copia restaurada, o dos versiones a propósito?). Un administrador puede admitir de nuevo a ${user}: /group add ${typed}`,
    en: (user: string, typed: string, number: number) =>
      `The messages of ${user} fork at number ${number} (a restored copy, or two versions on purpose?). An admin can admit ${user} again: /group add ${typed}`,
  },
  groupOwnFork: {
    es: (title: string) =>
      `Sus mensajes se han bifurcado (¿copia restaurada?): lo que escriba en ${title} no sale hasta que un administrador le admita de nuevo. Si nadie puede, /group copy`,
    en: (title: string) =>
      `Your messages fork (a restored copy?): what you write in ${title} is not sent until an admin admits you again. If nobody can, /group copy`,
  },
  groupDroppedOut: {
    es: (by: string, names: string, count: number) =>
      `Ya no cuenta lo que ${by} hizo después de salir: ${verb(count, names, "no pertenece", "no pertenecen")} al grupo.`,
    en: (by: string, names: string, count: number) =>
      `What ${by} did after their removal does not count: ${verb(count, names, "does", "do")} not belong to the group.`,
  },
  groupMissing: {
    es: (user: string, count: number) =>
      plural(
        count,
        `Falta 1 mensaje de ${user}; lo tiene otra persona que no está en línea.`,
        `Faltan ${count} mensajes de ${user}; los tiene otra persona que no está en línea.`,
      ),
    en: (user: string, count: number) =>
      plural(
        count,
        `1 message from ${user} is missing; someone who is offline has it.`,
        `${count} messages from ${user} are missing; someone who is offline has them.`,
      ),
  },
  groupOneAdmin: {
    es: (title: string) =>
      `Solo usted administra ${title}: si falta, nadie más puede sacar a nadie. /group admin USUARIO nombra a otra persona.`,
    en: (title: string) =>
      `You are the only admin of ${title}: without you nobody can remove anybody. /group admin USER makes another one.`,
  },

  /** The state of a text of ours: how many have it, and have read it. */
  groupMark: {
    es: (received: number, read: number, of: number) =>
      `✓ en ${received} de ${of}${read === 0 ? "" : ` · leído por ${read}`}`,
    en: (received: number, read: number, of: number) =>
      `✓ with ${received} of ${of}${read === 0 ? "" : ` · read by ${read}`}`,
  },
  groupNobodyHas: {
    es: (count: number) =>
      plural(
        count,
        "Aún no lo tiene nadie: se enviará cuando alguien del grupo esté en línea.",
        `Aún no los tiene nadie (${count}): se enviarán cuando alguien del grupo esté en línea.`,
      ),
    en: (count: number) =>
      plural(
        count,
        "Nobody has it yet: it will be sent when someone of the group is online.",
        `Nobody has them yet (${count}): they will be sent when someone of the group is online.`,
      ),
  },
  /** More was written than a group takes: in a minute, in a day. */
  groupHeldBack: {
    es: "Se ha escrito mucho en poco tiempo (en un grupo caben 60 textos por minuto): lo que falta sale solo, poco a poco.",
    en: "Much was written in a short time (a group takes 60 texts a minute): the rest is sent by itself, little by little.",
  },
  groupHeldBackForLong: {
    es: "Se ha escrito lo que cabe en un grupo en un día (2000 textos, o 2 MiB): lo que falta sale solo en cuanto quepa.",
    en: "As much was written as a group takes in a day (2,000 texts, or 2 MiB): the rest is sent by itself once there is room.",
  },
  /** In the place of a text that nobody has given. */
  groupNoText: { es: "(texto no disponible)", en: "(text not available)" },
  groupFolded: {
    es: (user: string, count: string) => `${user}: ${count} más, /more`,
    en: (user: string, count: string) => `${user}: ${count} more, /more`,
  },
  /** Before texts that were folded; they are older than what stands above. */
  groupUnfolded: {
    es: (user: string, count: number) =>
      `Lo plegado de ${user}, ${plural(count, "1 mensaje", `${count} mensajes`)}:`,
    en: (user: string, count: number) =>
      `Folded until now, ${plural(count, "1 message", `${count} messages`)} of ${user}:`,
  },
  groupUnfoldedLast: { es: "Fin de lo plegado.", en: "End of what was folded." },
  /** The title of a desktop notification. */
  groupAuthor: {
    es: (user: string, title: string) => `${user} en ${title}`,
    en: (user: string, title: string) => `${user} in ${title}`,
  },

  groupMembers: {
    es: (title: string, count: number) => `${title}, ${personas(count)}:`,
    en: (title: string, count: number) => `${title}, ${people(count)}:`,
  },
  groupFounder: { es: "fundó el grupo", en: "founded it" },
  groupAdmin: { es: "administra", en: "admin" },
  groupMemberYou: { es: "usted", en: "you" },
  groupMemberOnline: { es: "en línea", en: "online" },
  groupMemberInvited: { es: "aún sin contestar", en: "has not answered yet" },
  groupMemberToInvite: { es: "por invitar, en cuanto haya conexión", en: "to be invited once online" },
  groupMemberBy: {
    es: (by: string) => `invitó ${by}`,
    en: (by: string) => `invited by ${by}`,
  },
  groupMemberMissing: {
    es: (count: number) => plural(count, "falta 1", `faltan ${count}`),
    en: (count: number) => `${count} missing`,
  },
  groupOtherKey: {
    es: "(?): su clave no es la que se conoce aquí. Compárenla (/fingerprint en su chat) antes de fiarse.",
    en: "(?): their key is not the one known here. Compare it (/fingerprint in their chat) before you trust it.",
  },

  groupInfo: {
    es: (title: string, name: string, count: number) => `${title} (${name}), ${personas(count)}`,
    en: (title: string, name: string, count: number) => `${title} (${name}), ${people(count)}`,
  },
  groupInfoId: { es: (id: string) => `identificador: ${id}`, en: (id: string) => `id: ${id}` },
  groupInfoAdds: {
    es: (all: boolean) => (all ? "invitan todos" : "invitan los administradores"),
    en: (all: boolean) => (all ? "everyone invites" : "admins invite"),
  },
  groupInfoKeep: {
    es: (days: number | null) =>
      days === null ? "los textos se quedan aquí" : `los textos se quedan aquí ${days} días`,
    en: (days: number | null) => (days === null ? "texts stay here" : `texts stay here for ${days} days`),
  },

  groupAddWaits: {
    es: (names: string) => `${names}: se invitará en cuanto haya conexión.`,
    en: (names: string) => `${names}: will be invited as soon as there is a link.`,
  },
  groupKept: {
    es: (days: number) =>
      `Los textos de más de ${plural(days, "1 día", `${days} días`)} se borran aquí, solo aquí.`,
    en: (days: number) =>
      `Texts older than ${plural(days, "1 day", `${days} days`)} are deleted here, and only here.`,
  },
  groupKeptForever: { es: "Los textos se quedan aquí.", en: "Texts stay here." },
  groupCopied: {
    es: (title: string) => `Grupo nuevo con las mismas personas, invitadas otra vez: ${title}.`,
    en: (title: string) => `A new group with the same people, invited again: ${title}.`,
  },

  groupUnsentKept: {
    es: "Lo que no había salido ya no se envía; aquí lo tiene de nuevo.",
    en: "What had not been sent is not sent any more; here it is again.",
  },

  groupAskRemove: {
    es: (user: string, title: string) =>
      `¿Sacar a ${user} de ${title}? Ya no recibirá nada, y todos lo verán; lo que tiene se le queda. (sí/no)`,
    en: (user: string, title: string) =>
      `Remove ${user} from ${title}? Nothing more is sent to them, and everyone sees it; they keep what they have. (yes/no)`,
  },
  /** Before `groupAskRemove`'s question, where nobody else has joined. */
  groupRemoveRisk: {
    es: (user: string) =>
      `Si ${user} no está en línea, nadie más puede confirmar lo que este perfil escribió antes; si es una copia antigua, el grupo se bifurcará.`,
    en: (user: string) =>
      `If ${user} is not online, nobody else can confirm what this profile wrote before; if it is an old copy, the group will fork.`,
  },
  groupAskLeave: {
    es: (title: string) =>
      `¿Irse de ${title}? Ya no se envía ni llega nada, y para volver hace falta otra invitación; lo que tiene se queda aquí. (sí/no)`,
    en: (title: string) =>
      `Leave ${title}? Nothing is sent or received any more, and coming back takes another invitation; what you have stays. (yes/no)`,
  },
  groupRemoveSelf: {
    es: "A sí mismo no se saca a nadie: /group leave para irse.",
    en: "Nobody removes themselves: /group leave to leave.",
  },
  groupYesNo: { es: "¿sí o no?", en: "yes or no?" },
  groupNothingDone: { es: "No se ha hecho nada.", en: "Nothing was done." },

  groupUnknown: {
    es: (typed: string) => `No hay ningún grupo «${quotedText(typed)}».`,
    en: (typed: string) => `There is no group “${quotedText(typed)}”.`,
  },
  /** `ids`: as they are typed. */
  groupSeveral: {
    es: (typed: string, ids: string) => `Varios grupos se llaman «${quotedText(typed)}»: elija ${ids}.`,
    en: (typed: string, ids: string) => `Several groups are called “${quotedText(typed)}”: choose ${ids}.`,
  },

  groupHelp: {
    es: [
      "/group members: quién está",
      "/group add USUARIO… [nohistory]: invita; con nohistory, sin lo anterior",
      "/group remove USUARIO · leave: saca · se va, tras preguntar",
      "/group admin USUARIO · name TÍTULO: da la administración · cambia el título",
      "/group keep DÍAS|off: aquí borra los textos más antiguos",
      "/group copy: otro grupo igual, con las mismas personas",
      "/group accept · decline: en una invitación",
      "/group new TÍTULO: funda un grupo",
    ].join("\n"),
    en: [
      "/group members: who is in it",
      "/group add USER… [nohistory]: invites; with nohistory, without earlier messages",
      "/group remove USER · leave: removes · leaves, after asking",
      "/group admin USER · name TITLE: makes an admin · changes the title",
      "/group keep DAYS|off: deletes older texts here",
      "/group copy: another group like it, with the same people",
      "/group accept · decline: in an invitation",
      "/group new TITLE: founds a group",
    ].join("\n"),
  },
  chatHelpGroup: {
    es: "grupos: fundar, invitar, quién está; solo: la lista",
    en: "groups: found, invite, who is in; alone: the list",
  },
  groupUnknownCommand: {
    es: (word: string, meant: string | undefined) =>
      `/group no sabe «${quotedText(word)}».${meant === undefined ? "" : ` ¿Quiere decir /group ${meant}?`} /group solo dice lo que sabe.`,
    en: (word: string, meant: string | undefined) =>
      `/group does not know “${quotedText(word)}”.${meant === undefined ? "" : ` Did you mean /group ${meant}?`} /group alone says what it knows.`,
  },
  groupOnlyInGroup: {
    es: (word: string) => `/group ${word} se escribe en el chat de un grupo; /group new TÍTULO funda uno.`,
    en: (word: string) => `/group ${word} is for the chat of a group; /group new TITLE founds one.`,
  },
  groupOnlyWithPerson: {
    es: (command: string) => `${command} es para el chat con una persona; aquí, /group.`,
    en: (command: string) => `${command} is for a chat with one person; here, /group.`,
  },
  groupBadTitle: {
    es: "Un título tiene de 1 a 64 caracteres, en una línea, y no empieza por #, que va delante de todos.",
    en: "A title has 1 to 64 characters, in one line, and does not begin with #, which stands before all of them.",
  },
  groupBadDays: {
    es: "Días: de 1 a 36500, u off.",
    en: "Days: 1 to 36500, or off.",
  },

  menuGroups: { es: "Grupos", en: "Groups" },
  menuGroupsAsk: { es: "¿Qué grupo?", en: "Which group?" },
  menuNoGroups: { es: "Grupos: todavía no hay ninguno.", en: "Groups: there are none yet." },
  menuNewGroup: { es: "Fundar un grupo…", en: "Found a group…" },
  menuNewGroupTitle: { es: "¿Qué título? (Esc: volver)", en: "Which title? (Esc: back)" },
  /** Beside a menu's entry. */
  menuInvitations: {
    es: (count: number) => plural(count, "1 invitación", `${count} invitaciones`),
    en: (count: number) => plural(count, "1 invitation", `${count} invitations`),
  },
  /** In a list, in parentheses. */
  groupInvitedNote: {
    es: (by: string) => `invita ${by}`,
    en: (by: string) => `invited by ${by}`,
  },
  groupPeopleNote: { es: personas, en: people },
  groupLeftNote: { es: "se fue", en: "you left" },
  groupRemovedNote: { es: "ya no está", en: "you are out" },
  groupWaitingNote: {
    es: (count: number) => plural(count, "1 sin salir", `${count} sin salir`),
    en: (count: number) => plural(count, "1 not sent", `${count} not sent`),
  },

  groupsUnavailable: {
    es: "El programa que tiene la cuenta en línea no sabe de grupos.",
    en: "The program that has the account online does not know groups.",
  },

  /** `why`: one of the sentences above. */
  groupNotAdded: {
    es: (names: string, why: string) => `No se ha invitado a ${names}. ${why}`,
    en: (names: string, why: string) => `Not invited: ${names}. ${why}`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
