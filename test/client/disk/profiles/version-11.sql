-- A profile as version 11 left one that version 1 had begun, never to be changed: what people have on their disks.
-- The key was made for this file and belongs to nobody.
BEGIN;
PRAGMA application_id = 1885432943;
CREATE TABLE account (
       username TEXT NOT NULL,
       private_key TEXT NOT NULL,
       authority TEXT NOT NULL,
       certificate TEXT,
       certificate_received_at INTEGER,
       certificate_expires_at INTEGER,
       session_token TEXT,
       has_been_online INTEGER NOT NULL DEFAULT 0,
       -- 1: the account was made from here, so its first key is no news to anybody.
       registered_here INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE contacts (
       id INTEGER PRIMARY KEY,
       label TEXT NOT NULL UNIQUE,
       username TEXT NOT NULL,
       targets TEXT NOT NULL DEFAULT '[]'
     ) STRICT;
     CREATE TABLE pins (
       contact INTEGER NOT NULL REFERENCES contacts(id),
       spki BLOB NOT NULL,
       fingerprint TEXT NOT NULL,
       pinned_at INTEGER NOT NULL,
       PRIMARY KEY (contact, fingerprint)
     ) STRICT;
     CREATE TABLE pending_keys (
       contact INTEGER PRIMARY KEY REFERENCES contacts(id),
       spki BLOB NOT NULL,
       fingerprint TEXT NOT NULL,
       seen_at INTEGER NOT NULL,
       -- The fingerprint that was last shown to the person, of this key or of one before it.
       shown TEXT
     ) STRICT;
     CREATE TABLE messages (
       -- The order of writing (outgoing) and of arrival (incoming).
       seq INTEGER PRIMARY KEY,
       contact INTEGER NOT NULL REFERENCES contacts(id),
       outgoing INTEGER NOT NULL,
       id TEXT NOT NULL,
       text TEXT NOT NULL,
       reply_to TEXT,
       sent_at INTEGER,
       -- On the disk of the one who received it: ours for incoming, the peer's for outgoing.
       received_at INTEGER,
       -- 0 queued, 1 sent, 2 received.
       state INTEGER NOT NULL,
       printed INTEGER NOT NULL DEFAULT 0,
       UNIQUE (contact, outgoing, id)
     ) STRICT;
     CREATE INDEX messages_by_contact ON messages (contact, seq);
     CREATE INDEX outbox ON messages (contact, seq) WHERE outgoing = 1 AND state < 2;
     CREATE INDEX unprinted ON messages (seq) WHERE outgoing = 0 AND printed = 0;
PRAGMA user_version = 1;
INSERT INTO account VALUES (
  'Berta',
  '-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJxBNZok1nwNSUJzvlod625Is6dURH/6RZoIys9Kzg3G
-----END PRIVATE KEY-----
',
  'authority of version 1',
  'certificate of version 1',
  1768478400000, 1769083200000,
  'token of version 1',
  1,
  1
);
INSERT INTO contacts VALUES (1, '24d4b96f58da6d4a8512313bbd02a28ebf0ca95d', 'Ana', '[{"host":"192.0.2.7","port":9000},{"host":"2001:db8::7","port":9000}]');
INSERT INTO contacts VALUES (2, '43dbd6bf7148e6e6584eee6d8b61ab8e5dd76374', 'ñandú', '[]');
INSERT INTO contacts VALUES (3, '8813d406421e0063ef8ec81fc45170338b4cfd95', 'Carla', '[]');
INSERT INTO contacts VALUES (4, '69db31976ead37b85cc42a49c95fd06eec99cfd9', 'Dora', '[]');
INSERT INTO pins VALUES (1, X'3059A1', 'fingerprint a1', 1768478400000);
INSERT INTO pins VALUES (1, X'3059A2', 'fingerprint a2', 1768478400001);
INSERT INTO pins VALUES (4, X'3059D1', 'fingerprint d1', 1768478400002);
INSERT INTO pending_keys VALUES (1, X'3059A3', 'fingerprint a3', 1768478400003, 'fingerprint a3');
INSERT INTO pending_keys VALUES (3, X'3059C1', 'fingerprint c1', 1768478400004, NULL);
INSERT INTO messages VALUES (1, 1, 0, 'in-1', 'Hola, ¿cómo está?', NULL, 1768478400000, 1768478400005, 2, 1);
INSERT INTO messages VALUES (2, 1, 1, 'out-received', 'Muy bien, gracias. El camión llegó.', 'in-1', 1768478400010, 1768478400020, 2, 0);
INSERT INTO messages VALUES (3, 2, 0, 'in-1', 'Same id, other contact', NULL, NULL, 1768478400025, 2, 1);
INSERT INTO messages VALUES (4, 1, 1, 'out-sent', 'On its way when the program ended', NULL, 1768478400030, NULL, 1, 0);
INSERT INTO messages VALUES (5, 1, 1, 'out-sent-2', '', NULL, 1768478400031, NULL, 1, 0);
INSERT INTO messages VALUES (6, 1, 0, 'in-unprinted-1', 'Nobody saw this CAMIÓN yet', NULL, 1768478400040, 1768478400041, 2, 0);
INSERT INTO messages VALUES (7, 2, 0, 'in-unprinted-2', '''; DROP TABLE messages; -- "quoted" 100 %', NULL, NULL, 1768478400042, 2, 0);
INSERT INTO messages VALUES (8, 1, 1, 'out-queued-1', 'Waits: ñandú 🕊️🥰', NULL, 1768478400050, NULL, 0, 0);
INSERT INTO messages VALUES (9, 2, 1, 'out-queued-2', CAST(X'6100620A7365636F6E64206C696E6509746162' AS TEXT), NULL, 1768478400051, NULL, 0, 0);
INSERT INTO messages VALUES (10, 1, 1, 'out-queued-3', 'Waits behind, as an answer', 'in-unprinted-1', 1768478400052, NULL, 0, 0);
INSERT INTO messages VALUES (11, 1, 0, 'same', 'Theirs of the same id', NULL, 1768478400060, 1768478400061, 2, 0);
INSERT INTO messages VALUES (12, 1, 1, 'same', 'Ours of the same id', NULL, 1768478400062, 1768478400063, 2, 0);
INSERT INTO messages VALUES (13, 3, 0, 'of-a-simple-client', '', '', 1768478400070, 1768478400071, 2, 1);
-- 0 text; 1 edit and 2 withdrawal: actions on another message; 3 deleted: only its id is kept, for ever.
ALTER TABLE messages ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
-- Of an action: the id of the message that it is about.
ALTER TABLE messages ADD COLUMN target TEXT;
-- Outgoing. 0: certainly on no wire yet, so it can be changed or cancelled here alone.
ALTER TABLE messages ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
-- Outgoing: when it was first written on a link (state 1), and when the peer had read it (state 3).
ALTER TABLE messages ADD COLUMN left_at INTEGER;
ALTER TABLE messages ADD COLUMN read_at INTEGER;
ALTER TABLE messages ADD COLUMN edited_at INTEGER;
ALTER TABLE messages ADD COLUMN withdrawn_at INTEGER;
-- The older program did not say what it had begun to send.
UPDATE messages SET tried = 1 WHERE outgoing = 1 AND state < 2;
-- As its last link said: a JSON list; NULL: no link was seen since this is kept.
ALTER TABLE contacts ADD COLUMN features TEXT;
-- seq of our newest message that they have read, and of their newest one that a person has read here.
ALTER TABLE contacts ADD COLUMN read_by_peer INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN read_here INTEGER NOT NULL DEFAULT 0;
DROP INDEX messages_by_contact;
DROP INDEX outbox;
DROP INDEX unprinted;
CREATE INDEX messages_by_contact ON messages (contact, seq) WHERE kind = 0;
CREATE INDEX outbox ON messages (contact, seq)
  WHERE outgoing = 1 AND state < 2 AND kind < 3 AND withdrawn_at IS NULL;
-- With the contact: of whom something is unread is answered without a look at the messages.
CREATE INDEX unprinted ON messages (seq, contact) WHERE outgoing = 0 AND printed = 0 AND kind = 0;
CREATE INDEX actions_by_target ON messages (contact, target) WHERE target IS NOT NULL;
-- Words are indexed later than they are stored, up to this seq.
CREATE TABLE search_progress (seq INTEGER NOT NULL) STRICT;
INSERT INTO search_progress VALUES (0);
-- What the index holds, so that it can be checked. An empty text, as of a withdrawn message, is not in it.
CREATE VIEW message_texts AS SELECT seq, text FROM messages
  WHERE kind = 0 AND text <> '' AND seq <= (SELECT seq FROM search_progress);
CREATE VIRTUAL TABLE message_words USING fts5(
  text, content = 'message_texts', content_rowid = 'seq',
  tokenize = "unicode61 remove_diacritics 2 separators '₺₻₼₽₾₿⃀⃁⃂⃃⃄⃅⃆⃇⃈⃉⃊⃋⃌⃍⃎⃏🀀🀁🀂🀃🀄🀅🀆🀇🀈🀉🀊🀋🀌🀍🀎🀏🀐🀑🀒🀓🀔🀕🀖🀗🀘🀙🀚🀛🀜🀝🀞🀟🀠🀡🀢🀣🀤🀥🀦🀧🀨🀩🀪🀫🀬🀭🀮🀯🀰🀱🀲🀳🀴🀵🀶🀷🀸🀹🀺🀻🀼🀽🀾🀿🁀🁁🁂🁃🁄🁅🁆🁇🁈🁉🁊🁋🁌🁍🁎🁏🁐🁑🁒🁓🁔🁕🁖🁗🁘🁙🁚🁛🁜🁝🁞🁟🁠🁡🁢🁣🁤🁥🁦🁧🁨🁩🁪🁫🁬🁭🁮🁯🁰🁱🁲🁳🁴🁵🁶🁷🁸🁹🁺🁻🁼🁽🁾🁿🂀🂁🂂🂃🂄🂅🂆🂇🂈🂉🂊🂋🂌🂍🂎🂏🂐🂑🂒🂓🂔🂕🂖🂗🂘🂙🂚🂛🂜🂝🂞🂟🂠🂡🂢🂣🂤🂥🂦🂧🂨🂩🂪🂫🂬🂭🂮🂯🂰🂱🂲🂳🂴🂵🂶🂷🂸🂹🂺🂻🂼🂽🂾🂿🃀🃁🃂🃃🃄🃅🃆🃇🃈🃉🃊🃋🃌🃍🃎🃏🃐🃑🃒🃓🃔🃕🃖🃗🃘🃙🃚🃛🃜🃝🃞🃟🃠🃡🃢🃣🃤🃥🃦🃧🃨🃩🃪🃫🃬🃭🃮🃯🃰🃱🃲🃳🃴🃵🃶🃷🃸🃹🃺🃻🃼🃽🃾🃿🄀🄁🄂🄃🄄🄅🄆🄇🄈🄉🄊🄋🄌🄍🄎🄏🄐🄑🄒🄓🄔🄕🄖🄗🄘🄙🄚🄛🄜🄝🄞🄟🄠🄡🄢🄣🄤🄥🄦🄧🄨🄩🄪🄫🄬🄭🄮🄯🄰🄱🄲🄳🄴🄵🄶🄷🄸🄹🄺🄻🄼🄽🄾🄿🅀🅁🅂🅃🅄🅅🅆🅇🅈🅉🅊🅋🅌🅍🅎🅏🅐🅑🅒🅓🅔🅕🅖🅗🅘🅙🅚🅛🅜🅝🅞🅟🅠🅡🅢🅣🅤🅥🅦🅧🅨🅩🅪🅫🅬🅭🅮🅯🅰🅱🅲🅳🅴🅵🅶🅷🅸🅹🅺🅻🅼🅽🅾🅿🆀🆁🆂🆃🆄🆅🆆🆇🆈🆉🆊🆋🆌🆍🆎🆏🆐🆑🆒🆓🆔🆕🆖🆗🆘🆙🆚🆛🆜🆝🆞🆟🆠🆡🆢🆣🆤🆥🆦🆧🆨🆩🆪🆫🆬🆭🆮🆯🆰🆱🆲🆳🆴🆵🆶🆷🆸🆹🆺🆻🆼🆽🆾🆿🇀🇁🇂🇃🇄🇅🇆🇇🇈🇉🇊🇋🇌🇍🇎🇏🇐🇑🇒🇓🇔🇕🇖🇗🇘🇙🇚🇛🇜🇝🇞🇟🇠🇡🇢🇣🇤🇥🇦🇧🇨🇩🇪🇫🇬🇭🇮🇯🇰🇱🇲🇳🇴🇵🇶🇷🇸🇹🇺🇻🇼🇽🇾🇿🈀🈁🈂🈃🈄🈅🈆🈇🈈🈉🈊🈋🈌🈍🈎🈏🈐🈑🈒🈓🈔🈕🈖🈗🈘🈙🈚🈛🈜🈝🈞🈟🈠🈡🈢🈣🈤🈥🈦🈧🈨🈩🈪🈫🈬🈭🈮🈯🈰🈱🈲🈳🈴🈵🈶🈷🈸🈹🈺🈻🈼🈽🈾🈿🉀🉁🉂🉃🉄🉅🉆🉇🉈🉉🉊🉋🉌🉍🉎🉏🉐🉑🉒🉓🉔🉕🉖🉗🉘🉙🉚🉛🉜🉝🉞🉟🉠🉡🉢🉣🉤🉥🉦🉧🉨🉩🉪🉫🉬🉭🉮🉯🉰🉱🉲🉳🉴🉵🉶🉷🉸🉹🉺🉻🉼🉽🉾🉿🊀🊁🊂🊃🊄🊅🊆🊇🊈🊉🊊🊋🊌🊍🊎🊏🊐🊑🊒🊓🊔🊕🊖🊗🊘🊙🊚🊛🊜🊝🊞🊟🊠🊡🊢🊣🊤🊥🊦🊧🊨🊩🊪🊫🊬🊭🊮🊯🊰🊱🊲🊳🊴🊵🊶🊷🊸🊹🊺🊻🊼🊽🊾🊿🋀🋁🋂🋃🋄🋅🋆🋇🋈🋉🋊🋋🋌🋍🋎🋏🋐🋑🋒🋓🋔🋕🋖🋗🋘🋙🋚🋛🋜🋝🋞🋟🋠🋡🋢🋣🋤🋥🋦🋧🋨🋩🋪🋫🋬🋭🋮🋯🋰🋱🋲🋳🋴🋵🋶🋷🋸🋹🋺🋻🋼🋽🋾🋿🌀🌁🌂🌃🌄🌅🌆🌇🌈🌉🌊🌋🌌🌍🌎🌏🌐🌑🌒🌓🌔🌕🌖🌗🌘🌙🌚🌛🌜🌝🌞🌟🌠🌡🌢🌣🌤🌥🌦🌧🌨🌩🌪🌫🌬🌭🌮🌯🌰🌱🌲🌳🌴🌵🌶🌷🌸🌹🌺🌻🌼🌽🌾🌿🍀🍁🍂🍃🍄🍅🍆🍇🍈🍉🍊🍋🍌🍍🍎🍏🍐🍑🍒🍓🍔🍕🍖🍗🍘🍙🍚🍛🍜🍝🍞🍟🍠🍡🍢🍣🍤🍥🍦🍧🍨🍩🍪🍫🍬🍭🍮🍯🍰🍱🍲🍳🍴🍵🍶🍷🍸🍹🍺🍻🍼🍽🍾🍿🎀🎁🎂🎃🎄🎅🎆🎇🎈🎉🎊🎋🎌🎍🎎🎏🎐🎑🎒🎓🎔🎕🎖🎗🎘🎙🎚🎛🎜🎝🎞🎟🎠🎡🎢🎣🎤🎥🎦🎧🎨🎩🎪🎫🎬🎭🎮🎯🎰🎱🎲🎳🎴🎵🎶🎷🎸🎹🎺🎻🎼🎽🎾🎿🏀🏁🏂🏃🏄🏅🏆🏇🏈🏉🏊🏋🏌🏍🏎🏏🏐🏑🏒🏓🏔🏕🏖🏗🏘🏙🏚🏛🏜🏝🏞🏟🏠🏡🏢🏣🏤🏥🏦🏧🏨🏩🏪🏫🏬🏭🏮🏯🏰🏱🏲🏳🏴🏵🏶🏷🏸🏹🏺🏻🏼🏽🏾🏿🐀🐁🐂🐃🐄🐅🐆🐇🐈🐉🐊🐋🐌🐍🐎🐏🐐🐑🐒🐓🐔🐕🐖🐗🐘🐙🐚🐛🐜🐝🐞🐟🐠🐡🐢🐣🐤🐥🐦🐧🐨🐩🐪🐫🐬🐭🐮🐯🐰🐱🐲🐳🐴🐵🐶🐷🐸🐹🐺🐻🐼🐽🐾🐿👀👁👂👃👄👅👆👇👈👉👊👋👌👍👎👏👐👑👒👓👔👕👖👗👘👙👚👛👜👝👞👟👠👡👢👣👤👥👦👧👨👩👪👫👬👭👮👯👰👱👲👳👴👵👶👷👸👹👺👻👼👽👾👿💀💁💂💃💄💅💆💇💈💉💊💋💌💍💎💏💐💑💒💓💔💕💖💗💘💙💚💛💜💝💞💟💠💡💢💣💤💥💦💧💨💩💪💫💬💭💮💯💰💱💲💳💴💵💶💷💸💹💺💻💼💽💾💿📀📁📂📃📄📅📆📇📈📉📊📋📌📍📎📏📐📑📒📓📔📕📖📗📘📙📚📛📜📝📞📟📠📡📢📣📤📥📦📧📨📩📪📫📬📭📮📯📰📱📲📳📴📵📶📷📸📹📺📻📼📽📾📿🔀🔁🔂🔃🔄🔅🔆🔇🔈🔉🔊🔋🔌🔍🔎🔏🔐🔑🔒🔓🔔🔕🔖🔗🔘🔙🔚🔛🔜🔝🔞🔟🔠🔡🔢🔣🔤🔥🔦🔧🔨🔩🔪🔫🔬🔭🔮🔯🔰🔱🔲🔳🔴🔵🔶🔷🔸🔹🔺🔻🔼🔽🔾🔿🕀🕁🕂🕃🕄🕅🕆🕇🕈🕉🕊🕋🕌🕍🕎🕏🕐🕑🕒🕓🕔🕕🕖🕗🕘🕙🕚🕛🕜🕝🕞🕟🕠🕡🕢🕣🕤🕥🕦🕧🕨🕩🕪🕫🕬🕭🕮🕯🕰🕱🕲🕳🕴🕵🕶🕷🕸🕹🕺🕻🕼🕽🕾🕿🖀🖁🖂🖃🖄🖅🖆🖇🖈🖉🖊🖋🖌🖍🖎🖏🖐🖑🖒🖓🖔🖕🖖🖗🖘🖙🖚🖛🖜🖝🖞🖟🖠🖡🖢🖣🖤🖥🖦🖧🖨🖩🖪🖫🖬🖭🖮🖯🖰🖱🖲🖳🖴🖵🖶🖷🖸🖹🖺🖻🖼🖽🖾🖿🗀🗁🗂🗃🗄🗅🗆🗇🗈🗉🗊🗋🗌🗍🗎🗏🗐🗑🗒🗓🗔🗕🗖🗗🗘🗙🗚🗛🗜🗝🗞🗟🗠🗡🗢🗣🗤🗥🗦🗧🗨🗩🗪🗫🗬🗭🗮🗯🗰🗱🗲🗳🗴🗵🗶🗷🗸🗹🗺🗻🗼🗽🗾🗿😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔😕😖😗😘😙😚😛😜😝😞😟😠😡😢😣😤😥😦😧😨😩😪😫😬😭😮😯😰😱😲😳😴😵😶😷😸😹😺😻😼😽😾😿🙀🙁🙂🙃🙄🙅🙆🙇🙈🙉🙊🙋🙌🙍🙎🙏🙐🙑🙒🙓🙔🙕🙖🙗🙘🙙🙚🙛🙜🙝🙞🙟🙠🙡🙢🙣🙤🙥🙦🙧🙨🙩🙪🙫🙬🙭🙮🙯🙰🙱🙲🙳🙴🙵🙶🙷🙸🙹🙺🙻🙼🙽🙾🙿🚀🚁🚂🚃🚄🚅🚆🚇🚈🚉🚊🚋🚌🚍🚎🚏🚐🚑🚒🚓🚔🚕🚖🚗🚘🚙🚚🚛🚜🚝🚞🚟🚠🚡🚢🚣🚤🚥🚦🚧🚨🚩🚪🚫🚬🚭🚮🚯🚰🚱🚲🚳🚴🚵🚶🚷🚸🚹🚺🚻🚼🚽🚾🚿🛀🛁🛂🛃🛄🛅🛆🛇🛈🛉🛊🛋🛌🛍🛎🛏🛐🛑🛒🛓🛔🛕🛖🛗🛘🛙🛚🛛🛜🛝🛞🛟🛠🛡🛢🛣🛤🛥🛦🛧🛨🛩🛪🛫🛬🛭🛮🛯🛰🛱🛲🛳🛴🛵🛶🛷🛸🛹🛺🛻🛼🛽🛾🛿🜀🜁🜂🜃🜄🜅🜆🜇🜈🜉🜊🜋🜌🜍🜎🜏🜐🜑🜒🜓🜔🜕🜖🜗🜘🜙🜚🜛🜜🜝🜞🜟🜠🜡🜢🜣🜤🜥🜦🜧🜨🜩🜪🜫🜬🜭🜮🜯🜰🜱🜲🜳🜴🜵🜶🜷🜸🜹🜺🜻🜼🜽🜾🜿🝀🝁🝂🝃🝄🝅🝆🝇🝈🝉🝊🝋🝌🝍🝎🝏🝐🝑🝒🝓🝔🝕🝖🝗🝘🝙🝚🝛🝜🝝🝞🝟🝠🝡🝢🝣🝤🝥🝦🝧🝨🝩🝪🝫🝬🝭🝮🝯🝰🝱🝲🝳🝴🝵🝶🝷🝸🝹🝺🝻🝼🝽🝾🝿🞀🞁🞂🞃🞄🞅🞆🞇🞈🞉🞊🞋🞌🞍🞎🞏🞐🞑🞒🞓🞔🞕🞖🞗🞘🞙🞚🞛🞜🞝🞞🞟🞠🞡🞢🞣🞤🞥🞦🞧🞨🞩🞪🞫🞬🞭🞮🞯🞰🞱🞲🞳🞴🞵🞶🞷🞸🞹🞺🞻🞼🞽🞾🞿🟀🟁🟂🟃🟄🟅🟆🟇🟈🟉🟊🟋🟌🟍🟎🟏🟐🟑🟒🟓🟔🟕🟖🟗🟘🟙🟚🟛🟜🟝🟞🟟🟠🟡🟢🟣🟤🟥🟦🟧🟨🟩🟪🟫🟬🟭🟮🟯🟰🟱🟲🟳🟴🟵🟶🟷🟸🟹🟺🟻🟼🟽🟾🟿🠀🠁🠂🠃🠄🠅🠆🠇🠈🠉🠊🠋🠌🠍🠎🠏🠐🠑🠒🠓🠔🠕🠖🠗🠘🠙🠚🠛🠜🠝🠞🠟🠠🠡🠢🠣🠤🠥🠦🠧🠨🠩🠪🠫🠬🠭🠮🠯🠰🠱🠲🠳🠴🠵🠶🠷🠸🠹🠺🠻🠼🠽🠾🠿🡀🡁🡂🡃🡄🡅🡆🡇🡈🡉🡊🡋🡌🡍🡎🡏🡐🡑🡒🡓🡔🡕🡖🡗🡘🡙🡚🡛🡜🡝🡞🡟🡠🡡🡢🡣🡤🡥🡦🡧🡨🡩🡪🡫🡬🡭🡮🡯🡰🡱🡲🡳🡴🡵🡶🡷🡸🡹🡺🡻🡼🡽🡾🡿🢀🢁🢂🢃🢄🢅🢆🢇🢈🢉🢊🢋🢌🢍🢎🢏🢐🢑🢒🢓🢔🢕🢖🢗🢘🢙🢚🢛🢜🢝🢞🢟🢠🢡🢢🢣🢤🢥🢦🢧🢨🢩🢪🢫🢬🢭🢮🢯🢰🢱🢲🢳🢴🢵🢶🢷🢸🢹🢺🢻🢼🢽🢾🢿🣀🣁🣂🣃🣄🣅🣆🣇🣈🣉🣊🣋🣌🣍🣎🣏🣐🣑🣒🣓🣔🣕🣖🣗🣘🣙🣚🣛🣜🣝🣞🣟🣠🣡🣢🣣🣤🣥🣦🣧🣨🣩🣪🣫🣬🣭🣮🣯🣰🣱🣲🣳🣴🣵🣶🣷🣸🣹🣺🣻🣼🣽🣾🣿🤀🤁🤂🤃🤄🤅🤆🤇🤈🤉🤊🤋🤌🤍🤎🤏🤐🤑🤒🤓🤔🤕🤖🤗🤘🤙🤚🤛🤜🤝🤞🤟🤠🤡🤢🤣🤤🤥🤦🤧🤨🤩🤪🤫🤬🤭🤮🤯🤰🤱🤲🤳🤴🤵🤶🤷🤸🤹🤺🤻🤼🤽🤾🤿🥀🥁🥂🥃🥄🥅🥆🥇🥈🥉🥊🥋🥌🥍🥎🥏🥐🥑🥒🥓🥔🥕🥖🥗🥘🥙🥚🥛🥜🥝🥞🥟🥠🥡🥢🥣🥤🥥🥦🥧🥨🥩🥪🥫🥬🥭🥮🥯🥰🥱🥲🥳🥴🥵🥶🥷🥸🥹🥺🥻🥼🥽🥾🥿🦀🦁🦂🦃🦄🦅🦆🦇🦈🦉🦊🦋🦌🦍🦎🦏🦐🦑🦒🦓🦔🦕🦖🦗🦘🦙🦚🦛🦜🦝🦞🦟🦠🦡🦢🦣🦤🦥🦦🦧🦨🦩🦪🦫🦬🦭🦮🦯🦰🦱🦲🦳🦴🦵🦶🦷🦸🦹🦺🦻🦼🦽🦾🦿🧀🧁🧂🧃🧄🧅🧆🧇🧈🧉🧊🧋🧌🧍🧎🧏🧐🧑🧒🧓🧔🧕🧖🧗🧘🧙🧚🧛🧜🧝🧞🧟🧠🧡🧢🧣🧤🧥🧦🧧🧨🧩🧪🧫🧬🧭🧮🧯🧰🧱🧲🧳🧴🧵🧶🧷🧸🧹🧺🧻🧼🧽🧾🧿🨀🨁🨂🨃🨄🨅🨆🨇🨈🨉🨊🨋🨌🨍🨎🨏🨐🨑🨒🨓🨔🨕🨖🨗🨘🨙🨚🨛🨜🨝🨞🨟🨠🨡🨢🨣🨤🨥🨦🨧🨨🨩🨪🨫🨬🨭🨮🨯🨰🨱🨲🨳🨴🨵🨶🨷🨸🨹🨺🨻🨼🨽🨾🨿🩀🩁🩂🩃🩄🩅🩆🩇🩈🩉🩊🩋🩌🩍🩎🩏🩐🩑🩒🩓🩔🩕🩖🩗🩘🩙🩚🩛🩜🩝🩞🩟🩠🩡🩢🩣🩤🩥🩦🩧🩨🩩🩪🩫🩬🩭🩮🩯🩰🩱🩲🩳🩴🩵🩶🩷🩸🩹🩺🩻🩼🩽🩾🩿🪀🪁🪂🪃🪄🪅🪆🪇🪈🪉🪊🪋🪌🪍🪎🪏🪐🪑🪒🪓🪔🪕🪖🪗🪘🪙🪚🪛🪜🪝🪞🪟🪠🪡🪢🪣🪤🪥🪦🪧🪨🪩🪪🪫🪬🪭🪮🪯🪰🪱🪲🪳🪴🪵🪶🪷🪸🪹🪺🪻🪼🪽🪾🪿🫀🫁🫂🫃🫄🫅🫆🫇🫈🫉🫊🫋🫌🫍🫎🫏🫐🫑🫒🫓🫔🫕🫖🫗🫘🫙🫚🫛🫜🫝🫞🫟🫠🫡🫢🫣🫤🫥🫦🫧🫨🫩🫪🫫🫬🫭🫮🫯🫰🫱🫲🫳🫴🫵🫶🫷🫸🫹🫺🫻🫼🫽🫾🫿'"
);
INSERT INTO message_words(message_words, rank) VALUES ('secure-delete', 1);
-- An index that forgot other words than it had learnt would be broken, so both happen in one place.
CREATE TRIGGER words_changed AFTER UPDATE OF text ON messages
WHEN old.kind = 0 AND old.text <> new.text AND old.seq <= (SELECT seq FROM search_progress) BEGIN
  INSERT INTO message_words(message_words, rowid, text) SELECT 'delete', old.seq, old.text WHERE old.text <> '';
  INSERT INTO message_words(rowid, text) SELECT new.seq, new.text WHERE new.text <> '';
END;
UPDATE contacts SET features = '["edit","withdraw"]', read_here = 1 WHERE id = 1;
UPDATE messages SET kind = 0, edited_at = 1768478400080 WHERE seq = 2;
INSERT INTO messages (seq, contact, outgoing, id, text, state, kind, target, sent_at, tried) VALUES (14, 1, 1, 'edit-1', 'Muy bien, gracias.', 0, 1, 'out-received', 1768478400080, 0);
CREATE TABLE revocations (
  label TEXT NOT NULL,
  -- Seconds since 1970: certificates that were made before it do not count.
  before INTEGER NOT NULL,
  -- The fingerprint of a key whose certificates still count.
  except_key TEXT,
  PRIMARY KEY (label, before)
) STRICT, WITHOUT ROWID;
INSERT INTO revocations VALUES ('label', 1768478400, 'fingerprint');
DROP TRIGGER words_changed;
DROP TABLE message_words;
DROP VIEW message_texts;
UPDATE search_progress SET seq = 0;
-- The folded words of a text, where they differ from what the tokenizer makes of the text itself.
CREATE TABLE folded_texts (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
-- Texts up to `search_progress` that were changed and have to be indexed again.
CREATE TABLE changed_texts (seq INTEGER PRIMARY KEY) STRICT;
-- What the index holds, so that it can be checked. An empty text, as of a withdrawn message, is not in it.
CREATE VIEW message_texts AS
  SELECT messages.seq, coalesce(folded_texts.text, messages.text) AS text
  FROM messages LEFT JOIN folded_texts ON folded_texts.seq = messages.seq
  WHERE kind = 0 AND messages.text <> '' AND messages.seq <= (SELECT seq FROM search_progress)
    AND messages.seq NOT IN (SELECT seq FROM changed_texts);
CREATE VIRTUAL TABLE message_words USING fts5(
  text, content = 'message_texts', content_rowid = 'seq',
  tokenize = "unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
);
INSERT INTO message_words(message_words, rank) VALUES ('secure-delete', 1);
-- An index that forgot other words than it had learnt would be broken, so it is told the stored ones.
CREATE TRIGGER words_changed AFTER UPDATE OF text ON messages
WHEN old.kind = 0 AND old.text <> new.text AND old.seq <= (SELECT seq FROM search_progress) BEGIN
  INSERT INTO message_words(message_words, rowid, text)
    SELECT 'delete', old.seq, coalesce((SELECT text FROM folded_texts WHERE seq = old.seq), old.text)
    WHERE old.text <> '' AND old.seq NOT IN (SELECT seq FROM changed_texts);
  DELETE FROM folded_texts WHERE seq = old.seq;
  DELETE FROM changed_texts WHERE seq = old.seq;
  INSERT INTO changed_texts SELECT new.seq WHERE new.text <> '';
END;
-- How often a text was deleted or changed; how many of these deletions a wipe has covered, and how many the
-- last rewriting of the file.
CREATE TABLE wipes (deletions INTEGER NOT NULL, covered INTEGER NOT NULL, rewritten INTEGER NOT NULL) STRICT;
-- The older program did not see whether the write-ahead log could be emptied.
INSERT INTO wipes SELECT EXISTS (SELECT 1 FROM messages), 0, 0;
CREATE TRIGGER text_deleted AFTER UPDATE OF text ON messages
WHEN old.text <> '' AND old.text <> new.text BEGIN
  UPDATE wipes SET deletions = deletions + 1;
END;
CREATE TABLE privacy (
  -- 0: everybody who has no row of their own.
  contact INTEGER NOT NULL,
  -- 'read': that a message was read; 'typing': that something is being typed.
  sign TEXT NOT NULL,
  told INTEGER NOT NULL,
  PRIMARY KEY (contact, sign)
) STRICT, WITHOUT ROWID;
-- When the account was exported to another machine, ms since 1970: it does not go online here any more.
ALTER TABLE account ADD COLUMN moved_at INTEGER;
-- When the person behind this key was verified; NULL: was not. The keys of a contact are verified all or none.
ALTER TABLE pins ADD COLUMN verified_at INTEGER;
-- Codes that somebody in the middle could have guessed since the last verification, and when the last one was.
ALTER TABLE contacts ADD COLUMN guesses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN guessed_at INTEGER;
-- Whether the local network is told that this client is there, and its router asked for a port.
ALTER TABLE account ADD COLUMN lan INTEGER NOT NULL DEFAULT 1;
-- With which the router is asked (PCP); NULL: it was not.
ALTER TABLE account ADD COLUMN mapping_nonce BLOB;
-- 0 stranger; 1 taken unasked (`--who anyone`); 2 contact: was written to or accepted.
ALTER TABLE contacts ADD COLUMN consent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN is_blocked INTEGER NOT NULL DEFAULT 0;
-- Until when a declined person's texts are held without being shown, ms since 1970.
ALTER TABLE contacts ADD COLUMN declined_until INTEGER;
-- Whether a contact has to be told of the acceptance: 0 no; 1 not told yet; 2 told, and no text of theirs has arrived since.
ALTER TABLE contacts ADD COLUMN acceptance INTEGER NOT NULL DEFAULT 0;
-- What they have said about our texts: 0 nothing; 1 that they hold them; 2 that they have accepted us.
ALTER TABLE contacts ADD COLUMN answer INTEGER NOT NULL DEFAULT 0;
-- Until when nothing of theirs is announced, ms since 1970; NULL: it is.
ALTER TABLE contacts ADD COLUMN muted_until INTEGER;
-- What stands unsent in the input line of a chat.
CREATE TABLE drafts (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  -- A JSON list: what was typed and what was pasted, in turn.
  parts TEXT NOT NULL
) STRICT;
-- What strangers have sent. Their unread texts have `printed` = 2, and 0 once they are accepted.
CREATE TABLE requests (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  -- When it began, ms since 1970; 0: it is over, and its texts are being deleted.
  since INTEGER NOT NULL,
  -- Where it came from: an IPv4 address or an IPv6 /64; empty: unknown.
  network TEXT NOT NULL,
  -- It consists of their texts with a greater seq.
  after_seq INTEGER NOT NULL,
  texts INTEGER NOT NULL,
  actions INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
-- What people who were taken unasked have sent: in all, and on one day (days since 1970, UTC).
CREATE TABLE unasked (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  bytes INTEGER NOT NULL,
  day INTEGER NOT NULL,
  day_bytes INTEGER NOT NULL
) STRICT;
-- Everybody to whom the account has written is a contact; whoever else has written is a request that begins now.
UPDATE contacts SET consent = 2
  WHERE EXISTS (SELECT 1 FROM messages WHERE contact = contacts.id AND outgoing = 1);
INSERT INTO requests
  SELECT contact, 1768478400000, '', coalesce(max(seq) FILTER (WHERE printed = 1), 0),
    count(*), 0, sum(octet_length(text))
  FROM messages JOIN contacts ON contacts.id = contact
  WHERE consent = 0 AND outgoing = 0 AND kind = 0 AND withdrawn_at IS NULL GROUP BY contact;
UPDATE messages SET printed = 2
  WHERE outgoing = 0 AND kind = 0 AND printed = 0 AND contact IN (SELECT contact FROM requests);
-- 'auto'; 'only': the relay alone; 'never': not the relay.
ALTER TABLE account ADD COLUMN relay TEXT NOT NULL DEFAULT 'auto';
-- kind 4: a message about a transfer, JSON in `text` where it is ours.
DROP INDEX outbox;
CREATE INDEX outbox ON messages (contact, seq)
  WHERE outgoing = 1 AND state < 2 AND kind <> 3 AND withdrawn_at IS NULL;
CREATE TABLE transfers (
  -- The order in which they were offered.
  number INTEGER PRIMARY KEY,
  -- Of the message that has offered it.
  id TEXT NOT NULL UNIQUE,
  contact INTEGER NOT NULL REFERENCES contacts(id),
  outgoing INTEGER NOT NULL,
  name TEXT NOT NULL,
  -- In bytes; of a folder with its listing; NULL: unknown until the end.
  size INTEGER,
  -- Of a folder: how many it contains; NULL: a file.
  entries INTEGER,
  -- When the file was changed last, RFC 3339.
  modified TEXT,
  -- 'offered', 'accepted', 'done', 'declined', 'cancelled' or 'failed'.
  state TEXT NOT NULL,
  -- Why it was declined or cancelled, or has failed.
  reason TEXT,
  -- Ours: what is sent. Theirs: what was received.
  path TEXT,
  -- Ours: what the source was like when it was offered. Theirs: what names the parts that have arrived.
  stamp TEXT,
  -- Theirs: where it is to be received.
  folder TEXT,
  -- The fingerprint of the key that has offered or accepted it.
  key TEXT,
  -- What the sender has said at the end.
  end_size INTEGER,
  digest TEXT,
  -- Whether a SHA-256 is wanted, and the SHA-256 once it is known.
  wants_sha256 INTEGER NOT NULL DEFAULT 0,
  sha256 TEXT,
  -- Bytes that have arrived, as last stored.
  done INTEGER NOT NULL DEFAULT 0,
  -- When it was offered, ms since 1970.
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX transfers_by_contact ON transfers (contact, state);
-- Whose offers are accepted without a question.
CREATE TABLE accepted_offers (
  contact INTEGER PRIMARY KEY REFERENCES contacts(id),
  -- Bytes of one offer; NULL: of any size.
  most INTEGER,
  folder TEXT NOT NULL
) STRICT;
PRAGMA user_version = 11;
INSERT INTO folded_texts VALUES (1, 'hola como esta');
UPDATE search_progress SET seq = 13;
INSERT INTO message_words (rowid, text) SELECT seq, text FROM message_texts;
INSERT INTO privacy VALUES (0, 'typing', 0);
UPDATE account SET lan = 0, relay = 'never';
INSERT INTO transfers (id, contact, outgoing, name, size, state, folder, key, at)
  VALUES ('0b7e1c1e-8f55-7000-8000-000000000001', 1, 0, 'informe.pdf', 48211, 'offered', '/tmp', 'a1', 1768478400000);
INSERT INTO accepted_offers VALUES (1, NULL, '/tmp');
COMMIT;
