# As palavras da página. As mesmas chaves e variáveis estão em cada idioma: um teste as compara.

## frame

skip = Pular para a página
pages = Páginas
desk = Atendimento
conversations = Conversas
history = Histórico
governance = Governança
interaction = Chamada ou conversa
language = Idioma
theme = Tema
theme-system = Do sistema
theme-light = Claro
theme-dark = Escuro
log-out = Sair
practice-label = Treino
practice = Treino: todas as pessoas aqui são inventadas.
link-connecting = Conectando…
link-live = Ao vivo
link-reconnecting = Conexão perdida, tentando de novo…
link-locked = Sem acesso
loading = Carregando…
try-again = Tentar de novo
cancel = Cancelar
close = Fechar
more = Mostrar mais
any = Todos
actions = Ações
nowhere = Esta página não existe
nowhere-text = O endereço não leva a lugar nenhum, ou o que havia ali se foi.
to-desk = Ir ao atendimento
door = Esta página precisa da chave
door-text = Abra o endereço que o ramal mostrou ao iniciar, ou digite a chave que está nele.
key = Chave
enter = Entrar
new-window = abre em nova aba
ringing-now =
  { $count ->
    [one] { $count } chamada tocando
   *[other] { $count } chamadas tocando
  }
silent-now =
  { $count ->
    [one] { $count } canal em silêncio
   *[other] { $count } canais em silêncio
  }
new-call = Nova chamada de { $who }
new-message = Nova mensagem de { $who }
found = { $plugin } encontrou { $name }
several-short = vários contatos
dial-request = Um CRM pede uma chamada
dial-requested = { $plugin } pede que { $agent } ligue para { $number }
put-away = Dispensar

## keys

keys = Teclado
keys-on = Teclas de uma letra ativas
key-j = Próximo e anterior da lista
key-a = Atender uma chamada simulada
key-h = Colocar em espera, ou retomar
key-e = Desligar
key-t = Transferir
key-n = Escrever anotações
key-p = Simular uma chamada (treino)
key-help = Mostrar isto
key-save = Salvar anotações e desfecho

## desk

simulate = Simular uma chamada recebida
number = Número (opcional)
number-example = (11) 98765-4321
number-help = Vazio, liga um dos clientes inventados.
empty = Nenhuma chamada ainda
empty-practice = Simule uma acima: o número aparece na hora, o cartão do cliente um instante depois.
empty-real = A próxima chamada que sua central informar aparece aqui sozinha.
choose = Escolha uma chamada ou conversa
choose-text = A próxima chamada que tocar abre sozinha.
group-ringing = Tocando
group-talking = Em andamento
group-talks = Conversas
group-over = Encerradas
draft = não salvo
withheld = Número oculto
to = para { $number }
in-queue = fila { $name }
with-agent = com { $name }
at-time = às { $time }
answer = Atender
hang-up = Desligar
let-ring = Ninguém atende
hold = Espera
resume = Retomar
mute = Silenciar
unmute = Ativar som
transfer = Transferir
transfer-whom = Para quem
transfer-agent = Colega
transfer-number = Número externo
transfer-blind = Passar agora
transfer-ask = Consultar antes
transfer-complete = Passar a chamada
transfer-cancel = Voltar ao cliente
call = Ligar
dial = Ligar para alguém
agent-title = Qual telefone é o seu?
agent-text = Ele toca primeiro; quando você atende, o cliente é chamado. Este navegador se lembra dele.
agent-field = Seu nome ou ramal na central
channel = Canal
queues-of = Filas de { $channel }
queue-line = { $waiting } na espera · { $free } de { $all } livres
queue-first = primeiro há { $time }
no-queues = A central não tem filas.
exchange-up = Conectada
exchange-down = Conexão perdida
exchange-refused = Recusada
open-conversation = Conversa
whole-history = Tudo sobre ela

## the card

answers = O que os CRMs sabem
asking = Perguntando a { $plugin }…
nothing-to-ask = Sem número não há quem procurar.
nobody-to-ask = Nenhum CRM está conectado, por isso não há cartão.
answered-in = { $plugin } respondeu em { $time }
known-already = { $plugin } tinha respondido pouco antes e não foi perguntado de novo
gave-up-after = { $plugin } não deu cartão depois de { $time }
requests =
  { $count ->
    [one] { $count } requisição ao CRM
   *[other] { $count } requisições ao CRM
  }
none-found = Não está neste CRM
none-found-text = Ninguém lá tem este número.
several = { $count } contatos têm este número.
several-choose = Qual deles é?
choose-this = É este o cliente
chosen = O cliente
left-out =
  { $count ->
    [one] Mais { $count } não aparece; procure no CRM.
   *[other] Mais { $count } não aparecem; procure no CRM.
  }
no-name = Sem nome
owner = Responsável
phones = Telefones
emails = E-mail
deals = Negócios e chamados abertos
no-deals = Nenhum aberto.
open = Abrir no CRM
sees = O que o plugin pôde ver
sees-sum =
  { $fields ->
    [one] { $fields } campo, { $readable } legível
   *[other] { $fields } campos, { $readable } legíveis
  }
sees-none-short = nada
sees-nothing = O plugin não recebeu nada e não leu nada.
field = Campo
access = Acesso
no-card = Sem cartão
retry-after =
  { $count ->
    [one] O CRM pede que se espere { $count } segundo.
   *[other] O CRM pede que se esperem { $count } segundos.
  }
for-operators = Para quem opera
timeline = Este cliente antes
timeline-first = Este é o primeiro contato.
timeline-unknown = Sem número não há histórico.

## wrap-up

wrap-up = Anotações e desfecho
wrap-up-since = pós-atendimento { $time }
disposition = Desfecho
disposition-none = Ainda nenhum
disposition-resolved = Resolvido
disposition-call-back = Retornar
disposition-sale = Venda
disposition-no-interest = Sem interesse
disposition-wrong-number = Número errado
notes = Anotações
save = Salvar
saved = Salvo.
not-saved = Ainda não salvo
journal = Informado aos CRMs
journal-line = { $plugin }: { $step }
journal-empty = Nada a informar.
journal-written = Escrito
journal-dead = Desistiu
journal-withheld = Retido
step-journal = primeiro registro
step-amend = complemento
step-match = busca do contato
step-event = evento

## history

filters = Buscar e filtrar
filter-number = Número do cliente
filter-channel = Canal
filter-direction = Direção
filter-state = Situação
filter-queue = Fila
filter-from = Do dia
filter-until = Até o dia
search = Buscar
clear-filters = Limpar
history-empty = Nada encontrado
history-empty-filter = Nada atende a tudo o que foi pedido. Tire um filtro.
history-empty-all = Chamadas e conversas aparecem aqui quando começam.
customer = Cliente
began = Início
how = Como foi
agent-word = Atendente
crm = CRM
talked = conversa de { $time }
messages-count =
  { $count ->
    [one] { $count } mensagem
   *[other] { $count } mensagens
  }
vcon = Salvar como vCon
facts = Dados
from = De
to-word = Para
answered = Atendida
over = Fim
talk-time = Tempo de conversa
queue-word = Fila
transfers = Transferências
messages = Mensagens
messages-both = { $in } recebidas, { $out } enviadas
recordings = Gravações
recordings-count =
  { $count ->
    [one] { $count } gravação
   *[other] { $count } gravações
  }
provider-cause = Causa do provedor
protocol = Protocolo
source = Informado por
reference = Referência
link-in = { $id } em { $plugin }
record-contact = Contato
record-deal = Negócio
record-ticket = Chamado
record-activity = Atividade
record-call = Registro da chamada
events = O que aconteceu
events-empty = Nada está escrito sobre isso.
as-stored = Como está guardado
actor-system = Ramal
actor-source = informado por { $name }
actor-user = { $name }
actor-plugin = plugin { $name }
why-event = evento do provedor
why-request = a pedido
why-rule = regra { $id }
event-started = Começou: { $channel }, { $way }
event-answered = Alguém atendeu
event-answered-by = { $agent } atendeu
event-ended = Terminou: { $cause }
event-transferred = Transferida para { $to }
event-queue-changed = Foi para a fila { $queue }
event-held = Colocada em espera
event-resumed = A conversa continuou
event-leg-opened = Um aparelho entrou
event-leg-closed = Um aparelho saiu
event-message-in = O cliente escreveu
event-message-out = A empresa escreveu
event-message-status = Uma mensagem avançou: { $status }
event-day-closed = Um dia da conversa terminou
event-recording-started = A gravação começou
event-recording-paused = A gravação foi pausada
event-recording-resumed = A gravação continuou
event-recording-ready = A gravação pode ser ouvida
event-recording-deleted = A gravação foi apagada
event-disposition-set = Desfecho: { $disposition }
event-disposition-gone = O desfecho foi retirado
event-note-set = Anotações foram escritas
event-note-gone = As anotações foram esvaziadas
event-protocol-given = Número de protocolo { $protocol }
event-contact-linked = Soube-se outro nome do cliente
event-crm-linked = Ligada em { $plugin }: { $record } { $id }
event-journaled = { $plugin } foi informado ({ $step }): { $result }

## conversations

conversation = Conversa
choose-conversation = Escolha uma conversa
no-conversations = Nenhuma conversa ainda
no-conversations-text = O que os clientes escrevem por WhatsApp ou SMS aparece aqui.
no-messages = Nada foi escrito ainda.
customer-wrote = O cliente escreveu:
we-wrote = Nós escrevemos:
file = Arquivo ({ $type })
card = Cartão e anotações
reply = Resposta
send = Enviar
window-open = Texto livre por mais { $time }
window-shut = O cliente escreveu há mais de 24 horas: só um modelo aprovado pode ser enviado.
message-waits = A mensagem espera:
template = Modelo
template-language = Código do idioma
template-parameters = Lacunas, uma por linha
status-received = recebida
status-queued = na fila
status-sent = enviada
status-delivered = entregue
status-read = lida
status-failed = não enviada

## governance

govern-channels = Canais
govern-channels-text = Cada entrada: o que é, quando foi ouvida, o que coleta e onde isso fica.
govern-plugins = Plugins
govern-plugins-text = Que código está ligado a um CRM, sob qual permissão, e se funciona.
govern-deliveries = Entregas
govern-deliveries-text = O que se informa a CRMs e webhooks. Nada se perde: o que não pôde ser informado pode ser reenviado, e é informado uma vez.
govern-credentials = Credenciais
govern-credentials-text = Como estão as contas dos CRMs. Os segredos nunca são mostrados.
no-channels = Nenhum canal
no-channels-text = Os canais são configurados no ramal.toml.
kind = Tipo
silent-since = Em silêncio desde
last-heard = Último sinal
first-heard = Primeiro sinal
never = nunca
lines = Linhas
last-30-days = Últimos 30 dias
collects = O que coleta
kept = em { $where }, { $long }
health-listening = Escutando
health-connected = Conectado
health-reconnecting = Reconectando
health-replaced = Substituído
health-off = Desligado
health-silent = Em silêncio
health-gone = Não mais configurado
kind-events = Eventos assinados
kind-whatsapp = API Cloud do WhatsApp
kind-twilio = Twilio
kind-gammu = Modem de SMS (gammu)
kind-mapped = Provedor por arquivo de mapeamento
kind-asterisk = Central Asterisk
kind-asterisk-queues = Filas do Asterisk
kind-unknown = Desconhecido
data-number = Número
data-name = Nome
data-text = Texto
data-media = Arquivos
data-recording = Gravação
data-metadata = Dados da chamada
plugin = Plugin
state-word = Situação
grant = Permissão
digest = Resumo
version = versão { $version }
revision = revisão { $count }
plugin-resume = Deixar trabalhar de novo
revoke = Revogar
revoke-title = Revogar a permissão de { $plugin }?
revoke-text = Na hora: nenhuma nova chamada é aceita, e uma em curso para na próxima requisição. Para desfazer, um administrador concede de novo; um reinício lê o arquivo da permissão.
no-plugins = Nenhum plugin
no-plugins-text = Sem plugin nenhum CRM é perguntado ou informado.
plugin-serving = Trabalhando
plugin-resting = Em pausa
plugin-ended = Encerrado
plugin-not-loaded = Não carregado
plugin-text-serving = Procura quem liga e é informado das chamadas.
plugin-text-resting = Foi parado vezes demais, ou espera a decisão de uma pessoa.
plugin-text-ended = Sua permissão foi revogada ou venceu.
plugin-text-not-loaded = O log do host diz por quê.
deliveries = Cada entrega
paused = Pausado
needs-you = Precisa de alguém
flowing = Tudo informado
with-personal = com dados pessoais
without-personal = sem dados pessoais
waiting = Na fila
dead = Desistências
since = desde { $time }
replay = Enviar de novo
replay-all = Enviar tudo de novo
no-targets = Ninguém é informado
no-targets-text = Nem plugin nem webhook recebe chamadas.
no-deliveries = Nenhuma entrega
tries =
  { $count ->
    [one] { $count } tentativa
   *[other] { $count } tentativas
  }
delivery-open = Na fila
delivery-done = Informado
delivery-dead = Desistiu
delivery-failure-transient = O CRM estava fora de alcance
delivery-failure-retry-after = O CRM pediu para esperar
delivery-failure-permanent = O CRM não aceita
delivery-failure-needs-person = Alguém precisa agir
delivery-failure-auth-expired = A credencial não é aceita
credential = Credencial
until = Válida até
written = Última escrita
connect = Conectar
no-credentials = Nenhuma credencial
no-credentials-text = Nenhum manifesto de plugin pede uma.
credential-missing = Faltando
credential-valid = Válida
credential-refreshing = Sendo renovada
credential-expires-soon = Vence em breve
credential-needs-reconnect = Precisa ser conectada de novo
credential-unreadable = Ilegível
credential-text-missing = Nada está guardado aqui. Um administrador a informa no host.

## words of the API

level-none = Nada
level-exists = Existe
level-masked = Mascarado
level-sealed = Selado
level-clear = Aberto
channel-fixed = Telefone fixo
channel-mobile = Celular
channel-whatsapp = WhatsApp
channel-sms = SMS
way-inbound = recebida
way-outbound = feita
way-internal = interna
state-held = Em espera
state-open = Aberta
cause-no-answer = Sem resposta
cause-voicemail = Caixa postal
cause-closed = Fechada
cause-idle = Ficou em silêncio
problem-network = O servidor não responde. Tente de novo em instantes.
problem-unauthorized = A sessão terminou. Digite a chave de novo.
problem-wrong-key = Essa chave não é válida.
problem-page-missing = Esta parte da página não pôde ser carregada. Talvez tenha sido atualizada: recarregue a página.
problem-store-failed = O banco de dados não aceitou. Tente de novo; o log do host diz por quê.
problem-not-found = Não existe, ou não existe mais.
problem-call-not-controlled = O plano de discagem da central fica com esta chamada; daqui só se pode desligar.
problem-call-wrong-state = A chamada já está em outra situação.
problem-channel-offline = A central não está conectada no momento.
problem-window-closed = O cliente escreveu há mais de 24 horas; só um modelo aprovado pode ser enviado.
problem-channel-only-receives = Este canal só recebe mensagens.
problem-method-not-allowed = Este host ainda não faz isso.
place-ramal-sqlite-in-the-data-folder = ramal.sqlite na pasta de dados
place-postgresql = PostgreSQL
place-as-long-as-the-interaction = enquanto existir a interação
place-the-provider-s-the-host-keeps-its-identifier = no provedor; o host guarda o identificador
place-as-the-provider-s-contract-says = conforme o contrato do provedor
sees-none = O plugin não recebeu nada disto.
sees-exists = O plugin só pôde saber que há um valor.
sees-masked = O plugin viu a forma, com a maior parte escondida.
sees-sealed = O plugin transportou este valor sem poder lê-lo.
sees-clear = O plugin pôde ler este valor.
direction-to-plugin = entregue ao plugin
direction-from-crm = da resposta do CRM
class-contact-name = Nome
class-contact-organization = Empresa
class-contact-phone = Telefone
class-contact-email = E-mail
class-contact-document = Documento
class-contact-address = Endereço
class-contact-birth = Data de nascimento
class-contact-note = Anotações
class-interaction-meta = Dados da chamada
class-interaction-text = O que foi dito ou escrito
class-recording-link = Link de gravação
class-recording-audio = Gravação
class-work-item = Negócios e chamados
class-agent = Colegas
class-sensitive = Dados sensíveis
state-ringing = Tocando
state-answered = Atendida
state-ended = Encerrada
cause-completed = Concluída
cause-missed = Perdida
cause-abandoned = Abandonada
cause-busy = Ocupado
cause-rejected = Recusada
cause-failed = Falhou
failed-denied = O plugin tentou algo que a sua permissão não autoriza. Foi barrado antes de qualquer envio.
failed-unavailable = O CRM está fora do ar ou não responde direito. As chamadas seguem; as fichas voltam com ele.
failed-timeout = O CRM demorou demais. A chamada não esperou por ele.
failed-auth-expired = O CRM não aceita mais a credencial. Um administrador precisa conectá-lo de novo.
failed-rate-limited = O CRM quer menos consultas no momento.
failed-not-supported = Este plugin não procura números.
failed-broken = O plugin falhou. Foi encerrado e nada mais foi afetado.
failed-interrupted = O Ramal foi reiniciado antes da resposta.
problem-invalid = Isto não é um número de telefone. Escreva com o DDD, como (11) 98765-4321.
