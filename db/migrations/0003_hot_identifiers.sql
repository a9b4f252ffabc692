-- Every judging transaction reads the hot keys of the workspace; they are few.
create index identifiers_hot on identifiers (workspace_id) where hot;
