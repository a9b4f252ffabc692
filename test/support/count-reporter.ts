import type { Reporter, TestModule } from 'vitest/node'

/** Ends the output with `N passed, N failed` alone on its line; a file that could not be loaded counts as one failure. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = errors.length
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        const { state } = test.result()
        if (state === 'passed') passed++
        if (state === 'failed') failed++
      }
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) failed++
    }
    process.on('exit', (code) => {
      const unseen = code !== 0 && failed === 0 ? 1 : 0
      process.stdout.write(`\n${passed} passed, ${failed + unseen} failed\n`)
    })
  }
}
