/** First names that are one name in daily use; the first of a line stands for it. Names that belong to several lines are left out: they would join two people. */
const lines = `
abigail abby abbie
abraham abe
alexander alec xander
alexandra alexa lexi
alfred alf alfie
amanda mandy
andrew andy drew
angela angie
anthony tony
arthur art
barbara barb barbie
benjamin ben benny
bernard bernie
catherine katherine kathryn kathy cathy kate katie cathryn
charles charlie chuck chas
christina christine tina
christopher kit
clifford cliff
cynthia cindy
daniel dan danny
david dave davey
deborah debra deb debbie
donald don donny
dorothy dot dottie
douglas doug
edward ed eddie ned
elizabeth liz lizzie beth betty eliza libby elisabeth
eugene gene
frances fran
francis frank
frederick fred freddie
gabriel gabe
geoffrey jeffrey jeff geoff
gerald gerry
gregory greg
harold hal
henry hank
isabella isabel izzy
jacob jake
jacqueline jackie
james jim jimmy jamie
jennifer jen jenny jenn
jessica jess jessie
john johnny
jonathan jon jonny
joseph joe joey
joshua josh
judith judy
kenneth ken kenny
kimberly kim
lawrence larry laurence
leonard len lenny
margaret maggie meg peggy marge margie
matthew matt
melissa mel missy
michael mike micky mick mikey
mitchell mitch
natalie nat
nathaniel nathan nate
nicholas nick nicky nicolas
pamela pam
patricia patty tricia trish
peter pete
philip phillip phil
rachel rachael
raymond ray
rebecca becky becca
richard rick dick ricky rich richie
robert rob bob bobby robbie
ronald ron ronnie
russell russ
stephanie steph
stephen steven steve
susan sue susie suzanne
theodore theo
theresa teresa terri tess
thomas tom tommy
timothy tim timmy
veronica roni
victoria vicky vicki tori
vincent vince vinny
walter walt wally
william bill will billy willy
zachary zach zack
`

const classes = new Map<string, string>()
for (const line of lines.trim().split('\n')) {
  const names = line.split(' ')
  const [head] = names
  if (head !== undefined) for (const name of names) classes.set(name, head)
}

export function firstNameClass(first: string): string {
  return classes.get(first) ?? first
}
