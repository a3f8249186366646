"""The zoo: one file a paper; `records` lists them all and `create` builds one."""
