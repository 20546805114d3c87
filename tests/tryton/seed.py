"""Fill the template database of the Tryton test peer.

    seed.py TRYTOND_CONF DATABASE ADMIN_PASSWORD OUT_JSON

Adds what no web page needs to be clicked for: the company, the panel's API user and its key, a user whose
key may not see opportunities, and a handful of customers. Numbers stand there in the spellings that people
really type, because a lookup that works on tidy numbers only is the failure that this peer is for.

Every person, company, number, address, key and password is invented. They protect nothing.
"""

import json
import sys
from contextlib import contextmanager
from decimal import Decimal

CONF, DATABASE, ADMIN_PASSWORD, OUT = sys.argv[1:5]

import trytond.config as config  # noqa: E402

config.update_etc(CONF)

from trytond.modules.party import contact_mechanism  # noqa: E402
from trytond.pool import Pool  # noqa: E402
from trytond.transaction import Transaction  # noqa: E402

PANEL = {'login': 'panel', 'password': 'pan3l-test-only'}
NO_SALES = {'login': 'panel-without-sales', 'password': 'pan3l-no-sales-test-only'}

# name -> (country of the address or None, mechanisms, active). Tryton takes the country of a national number
# from the party's addresses; where there is none it refuses the number.
PARTIES = {
    'Maria da Silva': ('BR', [
        ('mobile', '(11) 98765-4321'),
        ('email', 'maria.silva@example.com'),
    ], True),
    'João Souza': (None, [
        ('mobile', '+55 21 91234-5678'),
        ('phone', '+552130045678'),
        ('email', 'joao@example.com'),
    ], True),
    # Two customers behind one switchboard.
    'Padaria Estrela Ltda': ('BR', [
        ('phone', '11 4002-8922'),
        ('website', 'https://padaria.example.com'),
    ], True),
    'Carla Dias': ('BR', [
        ('phone', '+55 (11) 4002-8922'),
        ('mobile', '011 99887-7665'),
    ], True),
    # Switched off, not erased.
    'Bruno Nunes': ('BR', [('mobile', '+5511955554444')], False),
}

# Rows from before `phonenumbers` was installed on the server: kept as typed, `value_compact` too. The second
# is a mobile number without the ninth digit, which `phonenumbers` would refuse today.
LEGACY_PARTIES = {
    'Ana Lima': (None, [('phone', '(31) 3456-7890')], True),
    'Pedro Rocha': ('BR', [('mobile', '+55 11 7654-3210')], True),
}

# (party, state, description, amount)
OPPORTUNITIES = [
    ('Maria da Silva', 'lead', 'Plano anual', '1200.00'),
    ('Maria da Silva', 'opportunity', 'Segunda linha', '480.50'),
    ('Maria da Silva', 'won', 'Plano mensal', '99.90'),
    ('Maria da Silva', 'lost', 'Aparelho', '2500.00'),
    ('João Souza', 'lost', 'Plano anual', '1200.00'),
    ('Padaria Estrela Ltda', 'lead', 'PABX', '8000.00'),
]

NOTES = [
    ('Maria da Silva', 'Prefere ligação à tarde.'),
    ('Maria da Silva', 'Pediu segunda via do contrato.'),
]


def company(pool):
    currency, = pool.get('currency.currency').create([{
        'name': 'Real', 'code': 'BRL', 'numeric_code': '986', 'symbol': 'R$',
        'rounding': Decimal('0.01'), 'digits': 2}])
    party, = pool.get('party.party').create([{'name': 'Loja Exemplo Ltda'}])
    record, = pool.get('company.company').create([{'party': party.id, 'currency': currency.id}])
    return record


def user(pool, account, name, groups, company):
    data = pool.get('ir.model.data')
    record, = pool.get('res.user').create([{
        'name': name, 'login': account['login'], 'password': account['password'],
        'groups': [('add', [data.get_id(*group) for group in groups])],
        'companies': [('add', [company.id])], 'company': company.id}])
    application, = pool.get('res.user.application').create([{'user': record.id, 'application': 'rest'}])
    return record, application.key


@contextmanager
def without_phonenumbers():
    installed = contact_mechanism.phonenumbers
    contact_mechanism.phonenumbers = None
    try:
        yield
    finally:
        contact_mechanism.phonenumbers = installed


def parties(pool, brazil, people):
    ids = {}
    for name, (country, mechanisms, active) in people.items():
        values = {'name': name, 'active': active}
        if country:
            values['addresses'] = [('create', [{'city': 'São Paulo', 'country': brazil.id}])]
        record, = pool.get('party.party').create([values])
        # Second step: the address must be there for Tryton to know the country of the number.
        pool.get('party.party').write([record], {'contact_mechanisms': [('create', [
            {'type': kind, 'value': value} for kind, value in mechanisms])]})
        ids[name] = record.id
    return ids


def opportunities(pool, ids, company):
    staff, = pool.get('party.party').create([{'name': 'Vendedora Exemplo'}])
    employee, = pool.get('company.employee').create([{'party': staff.id, 'company': company.id}])
    Opportunity = pool.get('sale.opportunity')
    for party, state, description, amount in OPPORTUNITIES:
        record, = Opportunity.create([{
            'party': ids[party], 'company': company.id, 'currency': company.currency.id,
            'employee': employee.id, 'description': description, 'amount': Decimal(amount)}])
        if state != 'lead':
            Opportunity.write([record], {'state': state})


def main():
    Pool.start()
    pool = Pool(DATABASE)
    pool.init()
    with Transaction().start(DATABASE, 1, context={'active_test': False}) as transaction:
        shop = company(pool)
        admin, = pool.get('res.user').search([('login', '=', 'admin')])
        pool.get('res.user').write([admin], {'companies': [('add', [shop.id])], 'company': shop.id})
        with transaction.set_context(company=shop.id, companies=[shop.id]):
            party_admin = ('party', 'group_party_admin')
            panel, key = user(pool, PANEL, 'Telephony panel', [
                party_admin, ('sale_opportunity', 'group_opportunity'), ('sale', 'group_sale')], shop)
            _, key_without_sales = user(pool, NO_SALES, 'Telephony panel without sales', [party_admin], shop)
            brazil, = pool.get('country.country').create([{'name': 'Brasil', 'code': 'BR'}])
            ids = parties(pool, brazil, PARTIES)
            with without_phonenumbers():
                ids.update(parties(pool, brazil, LEGACY_PARTIES))
            opportunities(pool, ids, shop)
            pool.get('ir.note').create([
                {'resource': 'party.party,%d' % ids[party], 'message': message} for party, message in NOTES])
        transaction.commit()
    with open(OUT, 'w') as out:
        json.dump({
            'database': DATABASE,
            'company': shop.id,
            'user': PANEL['login'],
            'user_id': panel.id,
            'password': PANEL['password'],
            'key': key,
            'key_without_sales': key_without_sales,
            'admin_password': ADMIN_PASSWORD,
            'parties': ids,
        }, out, ensure_ascii=False, indent=2)


main()
