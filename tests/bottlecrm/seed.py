"""Fill the template database of the BottleCRM test peer.

    seed.py OUT_JSON        with the server's own environment variables set

Adds what no web page needs to be clicked for: two companies that share the server, the panel's token, tokens that
lack a right, and a handful of customers. Numbers stand there in the spellings that people really type, and one
customer shares the last ten digits of her number with somebody in another city: the server takes them for the same.

Every person, company, number, address and token is invented. They protect nothing.
"""

import json
import sys
import uuid

import django

django.setup()

from cases.models import Case  # noqa: E402
from common.models import Org, PersonalAccessToken, Profile, User  # noqa: E402
from common.rls import get_set_context_sql  # noqa: E402
from contacts.models import Contact  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from opportunity.models import DealPipeline, Opportunity  # noqa: E402

PANEL = [
    'contacts:read', 'contacts:write', 'interactions:read', 'interactions:write',
    'leads:read', 'leads:write', 'users:read',
]
# name -> (scopes, role of the member whose token it is)
TOKENS = {
    'panel': (PANEL, 'ADMIN'),
    'read-only': (['contacts:read', 'interactions:read'], 'ADMIN'),
    'deals-only': (['opportunities:read'], 'ADMIN'),
    'without-users': ([scope for scope in PANEL if scope != 'users:read'], 'ADMIN'),
    # May read and write contacts, but deletes only those that the member made.
    'seller': (PANEL, 'USER'),
}

# (first, last) -> columns
CONTACTS = {
    ('Maria', 'da Silva'): {
        'phone': '(11) 98765-4321', 'email': 'maria.silva@example.com', 'organization': 'Oficina Inventada',
    },
    # The same last ten digits as Maria, in another city.
    ('Sérgio', 'Prado'): {'phone': '+55 21 98765-4321'},
    ('João', 'Souza'): {'phone': '+55 21 91234-5678', 'email': 'joao@example.com'},
    # Two customers behind one switchboard.
    ('Padaria', 'Estrela'): {'phone': '11 4002-8922'},
    ('Carla', 'Dias'): {'phone': '+55 (11) 4002-8922'},
    # Switched off, not deleted.
    ('Bruno', 'Nunes'): {'phone': '+5511955554444', 'is_active': False},
    ('Ana', 'Lima'): {'phone': '(31) 3456-7890'},
    # A mobile number from before the ninth digit.
    ('Pedro', 'Rocha'): {'phone': '+55 11 7654-3210'},
}

# (stage, name, amount)
MARIAS_DEALS = [
    ('PROSPECTING', 'Plano anual', '1200.00'),
    ('NEGOTIATION', 'Segunda linha', '480.50'),
    ('CLOSED_WON', 'Plano mensal', '99.90'),
    ('CLOSED_LOST', 'Aparelho', '2500.00'),
]


def member(org, email, name, role):
    user, _ = User.objects.get_or_create(email=email, defaults={'name': name})
    profile, _ = Profile.objects.get_or_create(user=user, org=org, defaults={
        'role': role, 'is_organization_admin': role == 'ADMIN', 'is_active': True})
    return profile


def token(profile, name, scopes):
    raw, _ = PersonalAccessToken.generate(profile, name, scopes=scopes)
    return raw


def inside(org):
    with connection.cursor() as cursor:
        cursor.execute(get_set_context_sql(), [str(org.id)])


def contacts(org, by, people):
    ids = {}
    for (first, last), columns in people.items():
        record = Contact.objects.create(
            org=org, first_name=first, last_name=last, created_by=by.user, **columns)
        ids['%s %s' % (first, last)] = str(record.id)
    return ids


def main(out):
    shop = Org.objects.create(
        name='Loja Exemplo', default_currency='BRL', default_country='BR', timezone='America/Sao_Paulo')
    rival = Org.objects.create(
        name='Concorrente Exemplo', default_currency='BRL', default_country='BR', timezone='America/Sao_Paulo')
    with transaction.atomic():
        inside(shop)
        admin = member(shop, 'admin@example.invalid', 'Bia Administradora', 'ADMIN')
        seller = member(shop, 'vendedora@example.invalid', 'Vendedora Exemplo', 'USER')
        members = {'ADMIN': admin, 'USER': seller}
        tokens = {name: token(members[role], name, scopes) for name, (scopes, role) in TOKENS.items()}
        ids = contacts(shop, admin, CONTACTS)
        maria = Contact.objects.get(id=ids['Maria da Silva'])
        maria.assigned_to.add(seller)
        Contact.objects.get(id=ids['João Souza']).assigned_to.add(seller)
        pipeline = DealPipeline.default_for(shop)
        for stage, name, amount in MARIAS_DEALS:
            deal = Opportunity.objects.create(
                org=shop, name=name, stage=stage, amount=amount, currency='BRL', pipeline=pipeline)
            deal.contacts.add(maria)
        for status, name in [('New', 'Segunda via'), ('Closed', 'Fatura antiga')]:
            case = Case.objects.create(org=shop, name=name, status=status, priority='Normal')
            case.contacts.add(maria)
    with transaction.atomic():
        inside(rival)
        other = member(rival, 'rival@example.invalid', 'Rival Exemplo', 'ADMIN')
        tokens['rival'] = token(other, 'rival', PANEL)
        rivals = contacts(rival, other, {('Olga', 'Concorrente'): {'phone': '+55 11 98765-4321'}})
    with open(out, 'w') as file:
        json.dump({'tokens': tokens, 'contacts': ids, 'rivals': rivals, 'nobody': str(uuid.UUID(int=7)),
                   'orgs': {'shop': str(shop.id), 'rival': str(rival.id)},
                   'profiles': {'admin': str(admin.id), 'seller': str(seller.id)}},
                  file, ensure_ascii=False, indent=2)


main(sys.argv[1])
