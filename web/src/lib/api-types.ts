import type { api } from './api.ts'

type Answer<Name extends Exclude<keyof typeof api, 'feedUrl' | 'findingExportUrl' | 'reportDownloadUrl'>> = Awaited<
  ReturnType<(typeof api)[Name]>
>

/** What the API sends, by the names the console uses. Times are ISO strings in UTC; nothing here identifies a person. */
export type Status = Answer<'status'>
export type Overview = Answer<'overview'>
export type Trends = Answer<'trends'>
export type FreshnessList = Answer<'freshness'>
export type Catalogue = Answer<'catalogue'>
export type FindingList = Answer<'findings'>
export type FindingRow = FindingList['items'][number]
export type FindingDetail = Answer<'finding'>
export type FindingRelated = Answer<'findingRelated'>
export type FindingGroup = Answer<'findingGroups'>['items'][number]
export type View = Answer<'findingViews'>['items'][number]
export type BulkAct = Answer<'bulk'>
export type FindingStatus = FindingRow['status']
export type FindingAction = keyof FindingRow['can']
export type Allowed = FindingRow['can'][FindingAction]
export type Severity = FindingRow['severity']
export type Side = FindingDetail['sides'][number]
export type EvidenceRow = FindingDetail['evidence'][number]
export type Activity = FindingDetail['activity'][number]
export type JourneyList = Answer<'journeys'>
export type JourneyRow = JourneyList['items'][number]
export type JourneyDetail = Answer<'journey'>
export type JourneyEvent = JourneyDetail['events'][number]
export type Ghost = JourneyDetail['ghosts'][number]
export type Cluster = NonNullable<JourneyDetail['clusters']>[number]
export type JourneyEvents = Answer<'journeyEvents'>
export type ProgramMap = Answer<'map'>
export type PassedJourney = Answer<'passed'>['items'][number]
export type ExpectationList = Answer<'expectations'>
export type ExpectationRow = ExpectationList['items'][number]
export type VerdictState = keyof ExpectationRow['states']
export type ExpectationDetail = Answer<'expectation'>
export type ActivationList = Answer<'activations'>
export type Activation = ActivationList['items'][number]
export type Settings = Answer<'settings'>
export type System = Answer<'system'>
export type FirstSteps = Answer<'firstSteps'>
export type ConnectorRow = Answer<'connectors'>['items'][number]
export type ConnectionList = Answer<'connections'>
export type ConnectionRow = ConnectionList['items'][number]
export type ConnectionDetail = Answer<'connection'>
export type ConnectionState = ConnectionRow['state']
export type StreamRow = ConnectionRow['streams'][number]
export type PassRow = StreamRow['passes'][number]
export type ReportList = Answer<'reports'>
export type ReportHead = ReportList['items'][number]
export type ReportDetail = Answer<'report'>
export type ReportLine = ReportDetail['report']['total']
export type ReportTableRow = ReportDetail['report']['owners'][number]
export type ReportDelivery = ReportDetail['deliveries'][number]
export type ReportedChanges = Answer<'reportFindings'>
export type ReportedChange = ReportedChanges['items'][number]
