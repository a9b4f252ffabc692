import type { ExpectationDraft, Severity } from '#lib/api-types.ts'

export interface ChosenStep {
  /** Of the program; `*`: another one; empty: none yet. */
  known: string
  stream: string
  status: string
  name: string
}

export interface Form {
  program: string
  newProgram: string
  title: string
  owner: string
  after: ChosenStep
  expect: ChosenStep
  amount: number | null
  unit: 'm' | 'h' | 'd' | 'w'
  hasDeadline: boolean
  per: string
  name: string
  severity: Severity
  ifItFails: string
}

export const noStep = (): ChosenStep => ({ known: '', stream: '', status: '', name: '' })

export const emptyForm = (): Form => ({
  program: '',
  newProgram: '',
  title: '',
  owner: '',
  after: noStep(),
  expect: noStep(),
  amount: 15,
  unit: 'm',
  hasDeadline: true,
  per: '',
  name: '',
  severity: 'medium',
  ifItFails: '',
})

/** `Booking confirmed!` → `booking-confirmed` */
export function slug(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 60)
}

const nameOf = (step: ChosenStep, mayKnow: boolean) => (mayKnow && step.known !== '*' ? step.known : step.name.trim())
const isComplete = (step: ChosenStep, mayKnow: boolean) =>
  mayKnow && step.known !== '*' ? step.known !== '' : step.stream !== '' && /^[A-Za-z][\w-]*$/.test(step.name.trim())

/** The name a promise gets when none is given: what is expected after what. */
export function suggestedName(form: Form, mayKnow: boolean): string {
  const [after, expect] = [nameOf(form.after, mayKnow), nameOf(form.expect, mayKnow)]
  return after === '' || expect === '' ? '' : slug(`${expect}-after-${after}`)
}

/** What the API is asked, or what is still missing. `mayKnow`: the program is there and has steps. */
export function toDraft(form: Form, mayKnow: boolean): { draft: ExpectationDraft } | { missing: string } {
  const program = form.program === '' ? slug(form.newProgram) : form.program
  if (program === '') return { missing: 'Give the program a name.' }
  if (!isComplete(form.after, mayKnow)) return { missing: 'Choose the step that starts the promise.' }
  if (!isComplete(form.expect, mayKnow)) return { missing: 'Choose the step that is expected.' }
  if (nameOf(form.after, mayKnow) === nameOf(form.expect, mayKnow)) return { missing: 'Choose two different steps.' }
  if (form.hasDeadline && !(form.amount !== null && form.amount > 0 && Number.isInteger(form.amount))) {
    return { missing: 'Give the time as a whole number.' }
  }
  const toStep = (step: ChosenStep) => ({
    name: nameOf(step, mayKnow),
    isNew: mayKnow && step.known !== '*' ? null : { stream: step.stream, status: step.status.trim() || null },
  })
  return {
    draft: {
      program,
      title: form.program === '' ? form.newProgram.trim() : null,
      owner: form.owner || null,
      name: slug(form.name) || suggestedName(form, mayKnow),
      after: toStep(form.after),
      expect: toStep(form.expect),
      within: form.hasDeadline ? `${form.amount}${form.unit}` : null,
      per: form.per || null,
      severity: form.severity,
      ifItFails: form.ifItFails.trim() || null,
    },
  }
}
