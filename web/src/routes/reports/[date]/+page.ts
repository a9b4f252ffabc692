export const load = ({ params }: { params: { date: string } }) => ({ date: params.date })
