// What was typed and not saved yet, by interaction: looking at another call loses nothing.

export interface Draft {
  notes: string;
  disposition: string;
}

let drafts = $state.raw<ReadonlyMap<string, Draft>>(new Map());
let replies = $state.raw<ReadonlyMap<string, string>>(new Map());

export const draftOf = (interaction: string): Draft | undefined => drafts.get(interaction);

export function keepDraft(interaction: string, draft: Draft | null): void {
  const changed = new Map(drafts);
  if (draft) changed.set(interaction, draft);
  else changed.delete(interaction);
  drafts = changed;
}

export const replyOf = (interaction: string): string => replies.get(interaction) ?? "";

export function keepReply(interaction: string, text: string): void {
  const changed = new Map(replies);
  if (text) changed.set(interaction, text);
  else changed.delete(interaction);
  replies = changed;
}

export const unsaved = (): boolean => drafts.size > 0 || replies.size > 0;
