"""Catalog messages made for a test, and what a database holds of them."""

import json


def resource(kind, title, **parameters):
    return {"type": kind, "title": title, "tags": [kind.lower(), "made"], "exported": True,
            "file": "/etc/puppet/site.pp", "line": 7, "parameters": parameters}


def message(node, resources, version=1):
    """The body of a message to /queue/catalog, in the envelope of Puppet 3."""
    data = {"name": node, "version": version, "environment": "production", "classes": [],
            "tags": ["made"], "edges": [], "resources": resources}
    return json.dumps({"document_type": "Catalog", "data": data,
                       "metadata": {"api_version": 1}}).encode()


def generation_of_node(node, generation, count=20):
    """Resources of one generation: every value tells it, and some titles come and go with it."""
    mark = f"generation {generation}"
    lasting = [resource("Notify", f"{node} {i}", message=mark, list=[mark, str(i)])
               for i in range(count)]
    passing = [resource("File", f"/{node}/{generation}/{i}", content=mark)
               for i in range(count // 4)]
    return lasting + passing


def generation_message(node, generation, count=20):
    return message(node, generation_of_node(node, generation, count), generation)


def wanted_rows(resources):
    """What stored_rows() has to give for these resources."""
    rows = set()
    for item in resources:
        values = tuple(sorted((name, value)
                              for name, given in item["parameters"].items()
                              for value in (given if isinstance(given, list) else [given])))
        rows.add((item["type"], item["title"], values))
    return rows


def stored_rows(database, node):
    """{(type, title, ((parameter, value), ...))} of a node; None if the node is unknown."""
    with database:  # one transaction: one state of the database
        database.execute("begin")
        host = database.execute("select id from hosts where name = ?", (node,)).fetchall()
        if not host:
            return None
        assert len(host) == 1, f"{node}: {len(host)} rows in hosts"
        found = database.execute(
            "select r.id, r.restype, r.title, n.name, v.value from resources r"
            " left join param_values v on v.resource_id = r.id"
            " left join param_names n on n.id = v.param_name_id where r.host_id = ?",
            host[0]).fetchall()
    by_id = {}
    for number, kind, title, name, value in found:
        values = by_id.setdefault(number, (kind, title, []))[2]
        if name is not None:
            values.append((name, value))
    rows = [(kind, title, tuple(sorted(values))) for kind, title, values in by_id.values()]
    assert len(rows) == len(set(rows)), f"{node}: a resource is there twice"
    return set(rows)


def stored_generation(database, node, count=20):
    """The generation that a node is stored in, exactly; 0 if none is."""
    rows = stored_rows(database, node)
    if not rows:
        return 0
    marks = {value for _, _, values in rows for name, value in values if name == "message"}
    assert len(marks) == 1, f"{node}: a mixture of {sorted(marks)}"
    generation = int(marks.pop().rpartition(" ")[2])
    wanted = wanted_rows(generation_of_node(node, generation, count))
    assert rows == wanted, f"{node}: generation {generation} is not whole: {rows ^ wanted}"
    return generation


def counts(database):
    """Rows of the tables that hold what catalogs bring."""
    return {table: database.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("hosts", "resources", "param_values", "resource_tags", "fact_values")}
