"""Ask a running Tryton by the vendor's own client (proteus over XML-RPC), as its administrator.

    ask.py ORIGIN DATABASE party ID            one party with all that hangs on it, switched-off parts included
    ask.py ORIGIN DATABASE create MODEL JSON   a new record; prints its id
    ask.py ORIGIN DATABASE write MODEL ID JSON
    ask.py DB_FILE - traces NEEDLE...          the columns of the database that hold one of the texts

Tests assert by this and not by the plugin's own road: a plugin that misreads Tryton would agree with itself.
`traces` looks below Tryton too, at the rows, since what Tryton does not show may still be there.
The password comes in TRYTON_PASSWORD. The answer is one JSON value on stdout.
"""

import json
import os
import sqlite3
import sys


def one_party(models, party_id):
    Party, Note, Attachment, Opportunity = (
        models.get(name) for name in ('party.party', 'ir.note', 'ir.attachment', 'sale.opportunity'))

    def notes(resource):
        found = Note.find([('resource', '=', resource)])
        return sorted(({'id': n.id, 'message': n.message} for n in found), key=lambda n: n['id'])

    party = Party(party_id)
    resource = 'party.party,%d' % party_id
    Mechanism = models.get('party.contact_mechanism')
    return {
        'id': party.id,
        'name': party.name,
        'active': bool(party.active),
        'mechanisms': [
            {'id': m.id, 'type': m.type, 'value': m.value, 'value_compact': m.value_compact,
                'active': bool(m.active)}
            for m in Mechanism.find([('party', '=', party_id)], order=[('id', 'ASC')])],
        'notes': notes(resource),
        'attachments': [
            {'id': a.id, 'name': a.name, 'link': a.link}
            for a in Attachment.find([('resource', '=', resource)], order=[('id', 'ASC')])],
        'opportunities': [
            {'id': o.id, 'state': o.state, 'description': o.description, 'comment': o.comment,
                'notes': notes('sale.opportunity,%d' % o.id)}
            for o in Opportunity.find([('party', '=', party_id)], order=[('id', 'ASC')])],
    }


def traces(path, needles):
    """Where a text stands, as `table.column`, history tables and the sessions of wizards included."""
    found = []
    database = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    for (table,) in tables:
        for column in [row[1] for row in database.execute('PRAGMA table_info("%s")' % table)]:
            if any(
                    database.execute(
                        'SELECT 1 FROM "%s" WHERE instr(CAST("%s" AS TEXT), ?) LIMIT 1' % (table, column),
                        (needle,)).fetchone()
                    for needle in needles):
                found.append('%s.%s' % (table, column))
    return found


def main(origin, database, command, *rest):
    if command == 'traces':
        return traces(origin, rest)
    from proteus import Model, config
    with config.set_xmlrpc_session(
            '%s/%s/rpc/' % (origin, database), 'admin', os.environ['TRYTON_PASSWORD']) as session:
        session.set_context(active_test=False)
        if command == 'party':
            return one_party(Model, int(rest[0]))
        if command == 'create':
            return session.get_proxy(rest[0]).create([json.loads(rest[1])], session.context)[0]
        if command == 'write':
            session.get_proxy(rest[0]).write([int(rest[1])], json.loads(rest[2]), session.context)
            return None
    raise SystemExit('unknown command %r: see the head of ask.py' % command)


json.dump(main(*sys.argv[1:]), sys.stdout)
