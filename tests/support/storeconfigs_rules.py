"""What rows of a storeconfigs database can break (facts 5.4), in SQL that every database takes."""

_TWINS = "SELECT {columns} FROM {table} GROUP BY {columns} HAVING COUNT(*) > 1"
_DANGLING = ("SELECT c.id FROM {table} c LEFT JOIN {parent} p ON p.id = c.{column}"
             " WHERE p.id IS NULL")

NAME_TABLES = ("param_names", "puppet_tags", "fact_names")

_QUERIES = {
    "two rows of a host": _TWINS.format(table="hosts", columns="name"),
    "two rows of a resource": _TWINS.format(table="resources", columns="host_id, restype, title"),
    "two rows of a tag at a resource": _TWINS.format(table="resource_tags",
                                                     columns="resource_id, puppet_tag_id"),
    "resources without a host": _DANGLING.format(table="resources", parent="hosts",
                                                 column="host_id"),
    "values without a resource": _DANGLING.format(table="param_values", parent="resources",
                                                  column="resource_id"),
    "values without a name": _DANGLING.format(table="param_values", parent="param_names",
                                              column="param_name_id"),
    "tags without a resource": _DANGLING.format(table="resource_tags", parent="resources",
                                                column="resource_id"),
    "tags without a name": _DANGLING.format(table="resource_tags", parent="puppet_tags",
                                            column="puppet_tag_id"),
    "facts without a host": _DANGLING.format(table="fact_values", parent="hosts",
                                             column="host_id"),
    "facts without a name": _DANGLING.format(table="fact_values", parent="fact_names",
                                             column="fact_name_id"),
    "exported is NULL": "SELECT id FROM resources WHERE exported IS NULL",
}
_QUERIES.update({f"two rows of a name in {table}": _TWINS.format(table=table, columns="name")
                 for table in NAME_TABLES})
_QUERIES["two rows of a file"] = _TWINS.format(table="source_files", columns="filename")


def faults(rows):
    """{what is wrong: rows that are}, empty for a clean database; `rows` runs a query."""
    found = {rule: list(rows(query)) for rule, query in _QUERIES.items()}
    return {rule: some for rule, some in found.items() if some}
