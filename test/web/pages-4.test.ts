import { testPages } from './page-states.ts'

testPages(3, 4)
