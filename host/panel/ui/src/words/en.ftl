# The words of the page. The same keys and variables stand in every language: a test compares them.

## frame

skip = Skip to the page
pages = Pages
desk = Live desk
conversations = Conversations
history = History
governance = Governance
interaction = Call or conversation
language = Language
theme = Theme
theme-system = As the system
theme-light = Light
theme-dark = Dark
log-out = Log out
practice-label = Practice
practice = Practice: every person here is invented.
link-connecting = Connecting…
link-live = Live
link-reconnecting = Connection lost, trying again…
link-locked = No access
loading = Loading…
try-again = Try again
cancel = Cancel
close = Close
more = Show more
any = All
actions = Actions
nowhere = There is no such page
nowhere-text = The address leads nowhere, or what was there is gone.
to-desk = To the live desk
door = This page needs its key
door-text = Open the address that ramal printed when it started, or enter the key that stands in it.
key = Key
enter = Enter
new-window = opens a new tab
ringing-now =
  { $count ->
    [one] 1 call ringing
   *[other] { $count } calls ringing
  }
silent-now =
  { $count ->
    [one] 1 channel silent
   *[other] { $count } channels silent
  }
new-call = New call from { $who }
new-message = New message from { $who }
found = { $plugin } found { $name }
several-short = several contacts
dial-request = A CRM asks for a call
dial-requested = { $plugin } asks { $agent } to call { $number }
put-away = Put away

## keys

keys = Keyboard
keys-on = One-letter keys are on
key-j = Next and previous in the list
key-a = Answer a simulated call
key-h = Hold, or go on
key-e = Hang up
key-t = Transfer
key-n = Write notes
key-p = Simulate a call (practice)
key-help = Show this
key-save = Save notes and disposition

## desk

simulate = Simulate an incoming call
number = Number (optional)
number-example = (11) 98765-4321
number-help = Left empty, one of the invented customers calls.
empty = No calls yet
empty-practice = Simulate one above: the number appears at once, the customer's card a moment later.
empty-real = The next call that your exchange reports appears here by itself.
choose = Choose a call or conversation
choose-text = The next call that rings opens by itself.
group-ringing = Ringing
group-talking = In progress
group-talks = Conversations
group-over = Over
draft = not saved
withheld = Number withheld
to = to { $number }
in-queue = queue { $name }
with-agent = with { $name }
at-time = at { $time }
answer = Answer
hang-up = Hang up
let-ring = Nobody answers
hold = Hold
resume = Go on
mute = Mute
unmute = Unmute
transfer = Transfer
transfer-whom = To whom
transfer-agent = Colleague
transfer-number = Number outside
transfer-blind = Hand over now
transfer-ask = Ask first
transfer-complete = Hand over
transfer-cancel = Back to the customer
call = Call
dial = Call somebody
agent-title = Which telephone is yours?
agent-text = It rings first; once you answer, the customer is called. This browser remembers it.
agent-field = Your name or extension at the exchange
channel = Channel
queues-of = Queues of { $channel }
queue-line = { $waiting } waiting · { $free } of { $all } free
queue-first = first for { $time }
no-queues = The exchange has no queues.
exchange-up = Connected
exchange-down = Connection lost
exchange-refused = Refused
open-conversation = Conversation
whole-history = Everything about it

## the card

answers = What the CRMs know
asking = Asking { $plugin }…
nothing-to-ask = Without a number there is nobody to look up.
nobody-to-ask = No CRM is connected, so there is no card.
answered-in = { $plugin } answered in { $time }
known-already = { $plugin } had answered shortly before and was not asked again
gave-up-after = { $plugin } gave no card after { $time }
requests =
  { $count ->
    [one] 1 request to the CRM
   *[other] { $count } requests to the CRM
  }
none-found = Not in this CRM
none-found-text = Nobody there has this number.
several = { $count } contacts have this number.
several-choose = Which one is it?
choose-this = This is the customer
chosen = The customer
left-out =
  { $count ->
    [one] 1 more is not shown; search in the CRM.
   *[other] { $count } more are not shown; search in the CRM.
  }
no-name = Without a name
owner = Owner
phones = Phones
emails = E-mail
deals = Open deals and tickets
no-deals = None is open.
open = Open in CRM
sees = What the plugin could see
sees-sum =
  { $fields ->
    [one] 1 field, { $readable } readable
   *[other] { $fields } fields, { $readable } readable
  }
sees-none-short = nothing
sees-nothing = The plugin was given nothing and read nothing.
field = Field
access = Access
no-card = No card
retry-after =
  { $count ->
    [one] The CRM asks to wait 1 second.
   *[other] The CRM asks to wait { $count } seconds.
  }
for-operators = For the operator
timeline = This customer before
timeline-first = This is the first contact.
timeline-unknown = Without a number there is no history.

## wrap-up

wrap-up = Notes and disposition
wrap-up-since = wrap-up { $time }
disposition = Disposition
disposition-none = None yet
disposition-resolved = Resolved
disposition-call-back = Call back
disposition-sale = Sale
disposition-no-interest = No interest
disposition-wrong-number = Wrong number
notes = Notes
save = Save
saved = Saved.
not-saved = Not saved yet
journal = Told to the CRMs
journal-line = { $plugin }: { $step }
journal-empty = Nothing is to be told.
journal-written = Written
journal-dead = Given up
journal-withheld = Withheld
step-journal = first account
step-amend = amendment
step-match = search for the contact
step-event = event

## history

filters = Search and filter
filter-number = Customer's number
filter-channel = Channel
filter-direction = Direction
filter-state = State
filter-queue = Queue
filter-from = From day
filter-until = Until day
search = Search
clear-filters = Clear
history-empty = Nothing found
history-empty-filter = Nothing fits all that is asked for. Take a filter away.
history-empty-all = Calls and conversations appear here when they begin.
customer = Customer
began = Began
how = How it went
agent-word = Agent
crm = CRM
talked = talked { $time }
messages-count =
  { $count ->
    [one] 1 message
   *[other] { $count } messages
  }
vcon = Save as vCon
facts = Facts
from = From
to-word = To
answered = Answered
over = Over
talk-time = Talk time
queue-word = Queue
transfers = Transfers
messages = Messages
messages-both = { $in } received, { $out } sent
recordings = Recordings
recordings-count =
  { $count ->
    [one] 1 recording
   *[other] { $count } recordings
  }
provider-cause = Provider's cause
protocol = Protocol
source = Told by
reference = Reference
link-in = { $id } in { $plugin }
record-contact = Contact
record-deal = Deal
record-ticket = Ticket
record-activity = Activity
record-call = Call record
events = What happened
events-empty = Nothing is written of it.
as-stored = As it is stored
actor-system = Ramal
actor-source = told by { $name }
actor-user = { $name }
actor-plugin = plugin { $name }
why-event = provider's event
why-request = by request
why-rule = rule { $id }
event-started = It began: { $channel }, { $way }
event-answered = Somebody answered
event-answered-by = { $agent } answered
event-ended = It was over: { $cause }
event-transferred = Handed on to { $to }
event-queue-changed = Went to the queue { $queue }
event-held = Put on hold
event-resumed = The talk went on
event-leg-opened = A device joined
event-leg-closed = A device left
event-message-in = The customer wrote
event-message-out = The company wrote
event-message-status = A message came further: { $status }
event-day-closed = A day of the conversation was over
event-recording-started = The recording began
event-recording-paused = The recording was paused
event-recording-resumed = The recording went on
event-recording-ready = The recording can be heard
event-recording-deleted = The recording was deleted
event-disposition-set = Disposition: { $disposition }
event-disposition-gone = The disposition was taken back
event-note-set = Notes were written
event-note-gone = The notes were emptied
event-protocol-given = Protocol number { $protocol }
event-contact-linked = Another name of the customer was learnt
event-crm-linked = Linked in { $plugin }: { $record } { $id }
event-journaled = { $plugin } was told ({ $step }): { $result }

## conversations

conversation = Conversation
choose-conversation = Choose a conversation
no-conversations = No conversations yet
no-conversations-text = What customers write by WhatsApp or SMS appears here.
no-messages = Nothing was written yet.
customer-wrote = The customer wrote:
we-wrote = We wrote:
file = File ({ $type })
card = Card and notes
reply = Reply
send = Send
window-open = Free text for { $time } more
window-shut = The customer wrote more than 24 hours ago: only an approved template can be sent.
message-waits = The message waits:
template = Template
template-language = Language code
template-parameters = Blanks, one a line
status-received = received
status-queued = waiting
status-sent = sent
status-delivered = delivered
status-read = read
status-failed = not sent

## governance

govern-channels = Channels
govern-channels-text = Every way in: what it is, when it was heard, what it collects and where that is kept.
govern-plugins = Plugins
govern-plugins-text = Which code is connected to a CRM, under which grant, and whether it works.
govern-deliveries = Deliveries
govern-deliveries-text = What CRMs and webhooks are told. Nothing is lost: what could not be told can be sent again, and is told once.
govern-credentials = Credentials
govern-credentials-text = How the accounts of the CRMs stand. The secrets themselves are never shown.
no-channels = No channels
no-channels-text = Channels are set up in ramal.toml.
kind = Kind
silent-since = Silent since
last-heard = Last heard
first-heard = First heard
never = never
lines = Lines
last-30-days = Last 30 days
collects = What it collects
kept = in { $where }, { $long }
health-listening = Listening
health-connected = Connected
health-reconnecting = Reconnecting
health-replaced = Replaced
health-off = Off
health-silent = Silent
health-gone = Not configured any more
kind-events = Signed events
kind-whatsapp = WhatsApp Cloud API
kind-twilio = Twilio
kind-gammu = SMS modem (gammu)
kind-mapped = Provider by mapping file
kind-asterisk = Asterisk exchange
kind-asterisk-queues = Asterisk queues
kind-unknown = Unknown
data-number = Number
data-name = Name
data-text = Text
data-media = Files
data-recording = Recording
data-metadata = Call details
plugin = Plugin
state-word = State
grant = Grant
digest = Digest
version = version { $version }
revision = revision { $count }
plugin-resume = Let it work again
revoke = Revoke
revoke-title = Revoke the grant of { $plugin }?
revoke-text = At once: no new call is admitted, and one under way is stopped at its next request. To undo it, an admin grants it again; a restart reads the grant's file.
no-plugins = No plugins
no-plugins-text = Without a plugin no CRM is asked or told.
plugin-serving = Working
plugin-resting = Resting
plugin-ended = Ended
plugin-not-loaded = Not loaded
plugin-text-serving = It looks up callers and is told of calls.
plugin-text-resting = It was stopped too often, or waits for a person's decision.
plugin-text-ended = Its grant was revoked or has run out.
plugin-text-not-loaded = The host's log says why.
deliveries = Each delivery
paused = Paused
needs-you = Needs a person
flowing = All told
with-personal = with personal data
without-personal = without personal data
waiting = Waiting
dead = Given up
since = since { $time }
replay = Send again
replay-all = Send all again
no-targets = Nobody is told
no-targets-text = Neither a plugin nor a webhook takes calls.
no-deliveries = No deliveries
tries =
  { $count ->
    [one] 1 try
   *[other] { $count } tries
  }
delivery-open = Waiting
delivery-done = Told
delivery-dead = Given up
delivery-failure-transient = The CRM was out of reach
delivery-failure-retry-after = The CRM asked to wait
delivery-failure-permanent = The CRM does not take it
delivery-failure-needs-person = A person has to act
delivery-failure-auth-expired = The credential is not accepted
credential = Credential
until = Good until
written = Last written
connect = Connect
no-credentials = No credentials
no-credentials-text = No plugin's manifest asks for one.
credential-missing = Missing
credential-valid = Good
credential-refreshing = Being renewed
credential-expires-soon = Ends soon
credential-needs-reconnect = Must be connected again
credential-unreadable = Unreadable
credential-text-missing = Nothing is stored here. An administrator enters it on the host.

## words of the API

level-none = Nothing
level-exists = Exists
level-masked = Masked
level-sealed = Sealed
level-clear = Clear
channel-fixed = Fixed line
channel-mobile = Mobile
channel-whatsapp = WhatsApp
channel-sms = SMS
way-inbound = inbound
way-outbound = outbound
way-internal = internal
state-held = On hold
state-open = Open
cause-no-answer = No answer
cause-voicemail = Voicemail
cause-closed = Closed
cause-idle = Went quiet
problem-network = The server cannot be reached. Try again in a moment.
problem-unauthorized = The session has ended. Enter the key again.
problem-wrong-key = That key is not valid.
problem-page-missing = This part of the page could not be loaded. It may have been updated: load the page again.
problem-store-failed = The database did not take it. Try again; the host's log says why.
problem-not-found = It is not there, or not any more.
problem-call-not-controlled = The exchange's dialplan keeps this call; it can only be hung up from here.
problem-call-wrong-state = The call is in another state by now.
problem-channel-offline = The exchange is not connected at the moment.
problem-window-closed = The customer wrote more than 24 hours ago; only an approved template can be sent.
problem-channel-only-receives = This channel only receives messages.
problem-method-not-allowed = This host cannot do that yet.
place-ramal-sqlite-in-the-data-folder = ramal.sqlite in the data folder
place-postgresql = PostgreSQL
place-as-long-as-the-interaction = as long as the interaction
place-the-provider-s-the-host-keeps-its-identifier = the provider's; the host keeps its identifier
place-as-the-provider-s-contract-says = as the provider's contract says
sees-none = The plugin got nothing of this.
sees-exists = The plugin could tell that there is a value, and no more.
sees-masked = The plugin saw the shape, with most of it hidden.
sees-sealed = The plugin moved this value without being able to read it.
sees-clear = The plugin could read this value.
direction-to-plugin = handed to the plugin
direction-from-crm = from the CRM's answer
class-contact-name = Name
class-contact-organization = Company
class-contact-phone = Phone
class-contact-email = E-mail
class-contact-document = Document number
class-contact-address = Address
class-contact-birth = Date of birth
class-contact-note = Notes
class-interaction-meta = Call details
class-interaction-text = What was said or written
class-recording-link = Link to a recording
class-recording-audio = Recording
class-work-item = Deals and tickets
class-agent = Colleagues
class-sensitive = Sensitive data
state-ringing = Ringing
state-answered = Answered
state-ended = Ended
cause-completed = Completed
cause-missed = Missed
cause-abandoned = Abandoned
cause-busy = Busy
cause-rejected = Rejected
cause-failed = Failed
failed-denied = The plugin tried something that its grant does not allow. It was stopped before anything was sent.
failed-unavailable = The CRM is down or does not answer properly. Calls go on; cards come back when it does.
failed-timeout = The CRM took too long. The call was not held up by it.
failed-auth-expired = The CRM no longer accepts its credential. An administrator must connect it again.
failed-rate-limited = The CRM wants fewer requests at the moment.
failed-not-supported = This plugin does not look up numbers.
failed-broken = The plugin failed. It was ended, and nothing else was touched.
failed-interrupted = Ramal was restarted before the answer came.
problem-invalid = That is not a telephone number. Write it with its area code, such as (11) 98765-4321.
