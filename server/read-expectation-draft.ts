import type { z } from '@hono/zod-openapi'
import { readProgramsInForce } from '../db/records/programs.ts'
import { AppError } from '../jobs/domain/errors.ts'
import { addExpectation, type DraftStep, type ExpectationDraft, writeFirstProgram } from '../jobs/domain/draft-expectation.ts'
import { namesFrom } from '../jobs/domain/finding-kinds/words.ts'
import type { AppDeps } from './deps.ts'
import { promiseOf } from './journey-view.ts'
import { findMistakes } from './read-program-draft.ts'
import type { expectationDraftShape, programTextShape } from './shapes/program.ts'
import { connectionTitles } from './view-context.ts'

type Asked = z.output<typeof expectationDraftShape>

/** The text of a program with the promise a guided form describes: added to the version in force, or a first program around it. */
export async function writeDraft(deps: AppDeps, asked: Asked): Promise<z.output<typeof programTextShape>> {
  const { workspace } = deps
  const inForce = (await readProgramsInForce(workspace.database.sql, workspace.id)).find(({ program }) => program === asked.program)
  const draft: ExpectationDraft = {
    name: asked.name,
    after: toStep(asked.after),
    expect: toStep(asked.expect),
    within: asked.within,
    per: asked.per,
    severity: asked.severity,
    owner: inForce === undefined ? null : asked.owner,
    ifItFails: asked.ifItFails,
  }
  const source =
    inForce === undefined
      ? writeFirstProgram(
          {
            key: asked.program,
            title: asked.title || asked.program,
            owner: asked.owner ?? workspace.configuration.routing.default,
            timezone: workspace.timeZone,
          },
          draft,
        )
      : addExpectation(inForce.source, draft)
  if (source === null) {
    throw new AppError(
      'invalid_configuration',
      `The text of "${asked.program}" has no block this form could add to. Add the promise in the editor of the program.`,
    )
  }
  const { mistakes, draft: read } = findMistakes(deps, asked.program, source)
  const promise = read?.program.expectations.find(({ name }) => name === asked.name)
  return {
    program: asked.program,
    source,
    mistakes,
    sentence: read === null ? null : promiseOf(promise, namesFrom(read.program.steps, connectionTitles(workspace))),
  }
}

function toStep({ name, isNew }: Asked['after']): DraftStep {
  return {
    name,
    isNew: isNew === null ? null : { stream: isNew.stream, when: isNew.status === null ? {} : { status: isNew.status } },
  }
}
