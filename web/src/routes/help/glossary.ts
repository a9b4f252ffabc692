/** One word per idea: the glossary of README.md, word for word. `such` is code. A test compares the two. */
export const glossary: readonly { readonly word: string; readonly meaning: string }[] = [
  { word: 'workspace, site', meaning: "one organisation's isolated data, every row belongs to one; a location, brand or team inside it" },
  { word: 'tool, connector, connection', meaning: 'the outside system; the code that speaks to it; one configured, credentialed instance' },
  { word: 'stream', meaning: 'one kind of record of a connection, e.g. `billing.payment_intents`' },
  {
    word: 'record',
    meaning: 'one object in a stream, identified by (connection, stream, external id), with its current operational state',
  },
  {
    word: 'event',
    meaning:
      "something that happened to a record at a time: `occurredAt` (in the tool), `updatedAt` (the tool's own change time), `observedAt` (when we read it) are never mixed",
  },
  {
    word: 'watermark',
    meaning: 'per stream: everything that had changed before then has been read; a pass that was partial does not move it',
  },
  { word: 'subject', meaning: 'the person (or order, claim, household) a journey is about; a random surrogate id' },
  {
    word: 'identifier',
    meaning: 'a keyed hash of a normalised e-mail, phone or external id: the evidence that links records to a subject',
  },
  { word: 'object', meaning: 'a business thing events also belong to: an appointment, a payment, an order' },
  {
    word: 'program, step, expectation',
    meaning: 'the versioned declaration of a journey; a named thing that happens in it; a promise about steps',
  },
  { word: 'journey', meaning: 'one pass of one subject (or object) through a program' },
  {
    word: 'verdict',
    meaning:
      'the result of one expectation on one activation: `pending`, `at_risk`, `satisfied`, `satisfied_late`, `unknown`, `violated`, `void`',
  },
  {
    word: 'finding',
    meaning: 'one violated promise with an owner and a life: open → acknowledged → acting → verifying → verified, or another ending',
  },
  { word: 'incident', meaning: 'a roll-up of findings that share a cause' },
  {
    word: 'automation, actor',
    meaning: 'something that acts without a person; whoever caused an event: person, automation, agent, Throughline, unknown',
  },
  { word: 'runbook, run, step run, action', meaning: 'the declared recovery; one execution; one step of it; what a step does in a tool' },
  { word: 'approval, waiver', meaning: "a named person's consent bound to the exact inputs; an accepted finding with reason and expiry" },
  { word: 'verification', meaning: 'the later read that proves closure, with the record that is the evidence' },
  { word: 'command', meaning: 'what a person asks of Throughline: acknowledge, assign, claim, snooze, waive' },
]
