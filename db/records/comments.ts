import { randomUUID } from 'node:crypto'
import { and, asc, eq } from 'drizzle-orm'
import type { Db, DbTransaction } from '../client.ts'
import type { CommentRow } from '../schema/comments.ts'
import { comments } from '../schema/comments.ts'

export async function readComments(db: Db, workspaceId: number, findingId: string): Promise<CommentRow[]> {
  return db
    .select()
    .from(comments)
    .where(and(eq(comments.workspaceId, workspaceId), eq(comments.findingId, findingId)))
    .orderBy(asc(comments.createdAt), asc(comments.id))
}

export async function addComment(
  tx: DbTransaction,
  workspaceId: number,
  comment: { readonly findingId: string; readonly author: string; readonly body: string; readonly at: number },
): Promise<CommentRow> {
  const [row] = await tx
    .insert(comments)
    .values({
      workspaceId,
      id: randomUUID(),
      findingId: comment.findingId,
      author: comment.author,
      body: comment.body,
      createdAt: comment.at,
    })
    .returning()
  if (!row) throw new Error('The comment was not stored.')
  return row
}
