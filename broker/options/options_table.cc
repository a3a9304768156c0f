#include "broker/options/options_table.h"

#include <algorithm>
#include <array>

namespace stompbox::options {
namespace {

// Names the member at PATH of Options, for a Field. A macro, because a path is no value in C++.
#define STOMPBOX_AT(path)          \
  [](Options & options) -> auto& { \
    return options.path;           \
  }

// In the order of the enumerators.
constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kEscapePolicies = {"refuse", "keep"};
constexpr std::array<std::string_view, 3> kClientCertificates = {"none", "wish", "require"};
constexpr std::array<std::string_view, 2> kTlsVersions = {"1.2", "1.3"};
constexpr std::array<std::string_view, 2> kSyncPolicies = {"batch", "never"};
constexpr std::array<std::string_view, 2> kFourBytes = {"refuse", "replace"};
constexpr std::array<std::string_view, 3> kBytePolicies = {"latin1", "replace", "keep"};

#define STOMPBOX_CHOICE(words, path)                                                      \
  ChoiceField {                                                                           \
    words, [](const Options& options) { return static_cast<std::size_t>(options.path); }, \
        [](Options& options, std::size_t word) {                                          \
          options.path = static_cast<decltype(options.path)>(word);                       \
        }                                                                                 \
  }

constexpr std::array<std::string_view, 3> kMonitorFields = {"standard", "exceptions", "all"};
constexpr std::array<std::string_view, 5> kProfiles = {"auto", "stompserver", "activemq",
                                                       "rabbitmq", "apollo"};

std::size_t profile_index(const Options& options) {
  const auto* const found =
      std::find(kProfiles.begin(), kProfiles.end(), options.routing.profile->name);
  return static_cast<std::size_t>(found - kProfiles.begin());
}

void set_profile(Options& options, std::size_t word) {
  options.routing.profile = routing::find_profile(kProfiles[word]);
  options.session.profile = options.routing.profile;
  options.session.profile = options.routing.profile;
}

constexpr std::array<std::string_view, 4> kCertificateLogins = {"off", "subject", "cn", "san"};
constexpr std::array<std::string_view, 2> kAfterDenial = {"close", "keep"};
constexpr std::array<std::string_view, 2> kWhenFull = {"wait", "drop-oldest"};
constexpr std::array<std::string_view, 2> kWhenSlow = {"drop-oldest", "close"};

constexpr Bounds kFromZero{0, UINT64_MAX};
constexpr Bounds kTimeFromZero{0, kLongestTime};

const Row kRows[] = {
    Row{"data.folder", "--data", TextField{STOMPBOX_AT(data_folder), "DIR"},
        "Folder of everything that is kept: queues, the catalog database, the control socket."},
    Row{"data.ephemeral", "--ephemeral", SwitchField{STOMPBOX_AT(ephemeral)},
        "Keep the queues in memory only; without --catalog-store there is no catalog store "
        "either."},
    Row{"data.ephemeral_max", "--ephemeral-max", SizeField{STOMPBOX_AT(store.memory_bytes_max)},
        "What the queues may hold with --ephemeral before it counts as a full disk."},
    Row{"listen.addresses", "--listen", ListField{STOMPBOX_AT(listen), "URL"},
        "Where to take connections, SCHEME://ADDR:PORT with tcp, tls, ws, wss or auto; port 0 "
        "takes a "
        "free one; behind a '?' options of this listener; may be repeated."},
    Row{"listen.origins", "--origin", ListField{STOMPBOX_AT(origins), "ORIGIN"},
        "Web pages that may use a WebSocket, like https://shop.example; * for all; without any "
        "those of the listener's own host, by its address or localhost; may be repeated."},
    Row{"listen.ready_file", "--ready-file", TextField{STOMPBOX_AT(ready_file), "FILE"},
        "Written whole when all is ready: one listener with its real port a line."},
    Row{"listen.connections_max", "--connections-max",
        CountField{STOMPBOX_AT(net.connection_count_max)},
        "Connections at once; the next one gets an ERROR."},
    Row{"listen.backlog", "--listen-backlog", SmallCountField{STOMPBOX_AT(net.accept_backlog)},
        "Connections that the kernel keeps until they are accepted."},
    Row{"listen.inbound_max", "--inbound-max", SizeField{STOMPBOX_AT(net.inbound_bytes_max)},
        "Input of all connections that may wait in memory."},
    Row{"listen.inbound_patience", "--inbound-patience",
        DurationField{STOMPBOX_AT(net.inbound_patience)},
        "How long that bound may stand still before the largest connection is closed."},
    Row{"listen.outgoing_max", "--outgoing-max", SizeField{STOMPBOX_AT(net.outgoing_bytes_max)},
        "Output of all connections that may wait in memory; at the bound the slowest is closed."},
    Row{"listen.read_size", "--read-size", SizeField{STOMPBOX_AT(net.read_bytes)},
        "Size of the read buffer that all connections share."},
    Row{"listen.reads_in_a_row", "--reads-in-a-row", CountField{STOMPBOX_AT(net.reads_in_a_row)},
        "Reads from one connection before the others have their turn."},
    Row{"listen.sleeps_at_once", "--sleeps-at-once", SwitchField{STOMPBOX_AT(net.sleeps_at_once)},
        "Sleep whenever there is nothing to do; else, while events follow each other within 50 us, "
        "the broker waits awake for the next one, which may take a whole core."},
    Row{"tls.certificate", "--tls-certificate", TextField{STOMPBOX_AT(tls.certificate), "FILE"},
        "Certificate of the listeners that speak TLS, with its chain, in PEM form; read again at "
        "SIGHUP."},
    Row{"tls.key", "--tls-key", TextField{STOMPBOX_AT(tls.key), "FILE"},
        "Its private key, RSA or EC, without a passphrase; empty: it stands in the same file."},
    Row{"tls.authorities", "--tls-authorities", TextField{STOMPBOX_AT(tls.authorities), "FILE"},
        "Certificates of who signs for clients."},
    Row{"tls.clients", "--tls-clients", STOMPBOX_CHOICE(kClientCertificates, tls.clients),
        "Whether a client has to show a certificate."},
    Row{"tls.lowest", "--tls-lowest", STOMPBOX_CHOICE(kTlsVersions, tls.lowest),
        "Lowest version of TLS that is spoken."},
    Row{"access.users", "--users", TextField{STOMPBOX_AT(access.users_file), "FILE"},
        "Users and their passcode hashes, made by 'stompbox passwd'; without it everybody is "
        "welcome."},
    Row{"access.rules", "--rules", TextField{STOMPBOX_AT(access.rules_file), "FILE"},
        "Who may do what with which destination; without it who is in may do everything."},
    Row{"access.certificate_login", "--certificate-login",
        STOMPBOX_CHOICE(kCertificateLogins, access.certificate_login),
        "What of a client certificate stands in for login and passcode."},
    Row{"access.certificate_users", "--certificate-user",
        ListField{STOMPBOX_AT(access.certificate_users), "MAP"},
        "Each 'PATTERN -> USER': whom a certificate logs in, * for the same letters in both; the "
        "first "
        "that matches; none: its text is the user."},
    Row{"access.allow_anonymous_from_anywhere", "--allow-anonymous-from-anywhere",
        SwitchField{STOMPBOX_AT(access.anonymous_from_anywhere)},
        "Allow a listener that other machines can reach although nobody is asked who they are."},
    Row{"access.waiting_checks_max", "--waiting-checks-max",
        CountField{STOMPBOX_AT(access.waiting_checks_max)},
        "Logins that may wait for their hash at once."},
    Row{"access.checks_per_address_max", "--checks-per-address-max",
        SmallCountField{STOMPBOX_AT(access.checks_per_address_max)}, "The same for one address."},
    Row{"access.remembered_max", "--remembered-max",
        CountField{STOMPBOX_AT(access.remembered_count_max), kFromZero},
        "Verified logins that are remembered, so that a reconnect costs no hash."},
    Row{"access.failure_hold_max", "--failure-hold-max",
        DurationField{STOMPBOX_AT(access.failure_hold_max)},
        "Longest hold of an address whose logins keep failing."},
    Row{"access.failure_memory", "--failure-memory",
        DurationField{STOMPBOX_AT(access.failure_memory)},
        "How long a failed login is held against its address."},
    Row{"access.failure_addresses_max", "--failure-addresses-max",
        CountField{STOMPBOX_AT(access.failure_addresses_max)},
        "Addresses whose failures are remembered."},
    Row{"access.connections_per_address_max", "--connections-per-address-max",
        CountField{STOMPBOX_AT(access.connections_per_address_max), kFromZero},
        "Connections of one address at once; 0: no bound."},
    Row{"access.connections_per_user_max", "--connections-per-user-max",
        CountField{STOMPBOX_AT(access.connections_per_user_max), kFromZero},
        "Connections of one user at once; 0: no bound."},
    Row{"access.connection_burst_max", "--connection-burst-max",
        CountField{STOMPBOX_AT(access.connection_burst_max)},
        "New connections that an address may open in one go."},
    Row{"access.connection_rate_max", "--connection-rate-max",
        CountField{STOMPBOX_AT(access.connection_rate_max), kFromZero},
        "New connections of an address a second after that; 0: no bound."},
    Row{"access.loopback_is_bounded", "--loopback-is-bounded",
        SwitchField{STOMPBOX_AT(access.loopback_is_bounded)},
        "Whether the bounds on addresses hold for connections from this machine, too."},
    Row{"log.level", "--log-level", STOMPBOX_CHOICE(kLevels, log.level), "How much to tell."},
    Row{"log.file", "--log-file", TextField{STOMPBOX_AT(log.file), "FILE"},
        "Log file, opened anew at SIGHUP; empty is standard error."},
    Row{"log.queue_lines_max", "--log-queue-lines-max",
        CountField{STOMPBOX_AT(log.queue_lines_max)},
        "Lines that may wait for a slow log; then the oldest are lost and counted."},
    Row{"queue.sync", "--sync", STOMPBOX_CHOICE(kSyncPolicies, journal.sync),
        "Whether a receipt waits for the disk: 'never' loses the last seconds with the machine."},
    Row{"queue.linger", "--queue-linger", DurationField{STOMPBOX_AT(journal.linger)},
        "How long a message that is being delivered may wait for its ACK to spare the write."},
    Row{"queue.ride", "--queue-ride", DurationField{STOMPBOX_AT(journal.ride)},
        "How long an erase without receipt may wait for a batch to go along with."},
    Row{"queue.batch_max", "--queue-batch-max", SizeField{STOMPBOX_AT(journal.batch_bytes_max)},
        "Size of one write; a message or a transaction is never split."},
    Row{"queue.full_retry", "--queue-full-retry", DurationField{STOMPBOX_AT(journal.full_retry)},
        "How often a full disk is looked at again."},
    Row{"queue.free_floor", "--queue-free-floor",
        SizeField{STOMPBOX_AT(store.free_bytes_floor), kFromZero},
        "Free space that is left on the disk: below it messages wait, erases go on."},
    Row{"queue.write_buffer", "--queue-write-buffer",
        SizeField{STOMPBOX_AT(store.write_buffer_bytes)}, "LevelDB's write buffer."},
    Row{"queue.table_size", "--queue-table-size", SizeField{STOMPBOX_AT(store.table_bytes)},
        "Size of LevelDB's table files."},
    Row{"queue.block_cache", "--queue-block-cache", SizeField{STOMPBOX_AT(store.block_cache_bytes)},
        "LevelDB's block cache."},
    Row{"queue.inline_body_max", "--queue-inline-body-max",
        SizeField{STOMPBOX_AT(store.inline_body_bytes_max), kFromZero},
        "Larger bodies are stored apart from the index."},
    Row{"routing.resident_count_max", "--resident-count-max",
        CountField{STOMPBOX_AT(routing.resident_count_max)},
        "Waiting messages that a queue keeps in memory; the others are in the store only."},
    Row{"routing.resident_max", "--resident-max",
        SizeField{STOMPBOX_AT(routing.resident_bytes_max)}, "The same in bytes."},
    Row{"routing.resident_total_max", "--resident-total-max",
        SizeField{STOMPBOX_AT(routing.resident_total_bytes_max)},
        "The same for all queues together."},
    Row{"routing.in_flight_total_max", "--in-flight-total-max",
        SizeField{STOMPBOX_AT(routing.in_flight_total_bytes_max)},
        "What all subscriptions together may have unacknowledged; beyond it each may have one."},
    Row{"routing.journal_max", "--journal-max", SizeField{STOMPBOX_AT(routing.journal_bytes_max)},
        "What may wait for the disk before senders are not read any more."},
    Row{"routing.queues_max", "--queues-max", CountField{STOMPBOX_AT(routing.queue_count_max)},
        "Queues at once."},
    Row{"routing.topics_max", "--topics-max", CountField{STOMPBOX_AT(routing.topic_count_max)},
        "Topics at once."},
    Row{"routing.topic_backlog_count_max", "--topic-backlog-count-max",
        CountField{STOMPBOX_AT(routing.topic_policy.backlog_count_max)},
        "Messages that a topic keeps for a slow subscriber before it is closed."},
    Row{"routing.topic_backlog_max", "--topic-backlog-max",
        SizeField{STOMPBOX_AT(routing.topic_policy.backlog_bytes_max)}, "The same in bytes."},
    Row{"routing.topic_backlog_total_max", "--topic-backlog-total-max",
        SizeField{STOMPBOX_AT(routing.topic_backlog_total_bytes_max)},
        "What all topics together keep for slow subscribers; beyond it the largest suffers."},
    Row{"routing.retained_max", "--retained-max",
        SizeField{STOMPBOX_AT(routing.retained_bytes_max), kFromZero},
        "Last messages that topics keep for later subscribers (retain:set)."},
    Row{"routing.scheduled_count_max", "--scheduled-count-max",
        CountField{STOMPBOX_AT(routing.scheduled_count_max), kFromZero},
        "Messages that wait for their time; the SEND of one more gets an ERROR."},
    Row{"routing.dead_letters_max", "--dead-letters-max",
        SizeField{STOMPBOX_AT(routing.dead_letter_bytes_max)},
        "What the dead-letter queues hold; beyond it the oldest letters make room."},
    Row{"routing.dead_letter_queue", "--dead-letter-queue",
        TextField{STOMPBOX_AT(routing.dead_letter_queue), "NAME"},
        "Queue for what cannot be stored."},
    Row{"routing.profile", "--profile", ChoiceField{kProfiles, profile_index, set_profile},
        "Whose place this broker takes where the peers of STOMP disagree."},
    Row{"routing.monitor_fields", "--monitor-fields",
        STOMPBOX_CHOICE(kMonitorFields, monitor_fields),
        "What /queue/monitor tells of each queue, where the profile has one."},
    Row{"session.server_name", "--server-name", TextField{STOMPBOX_AT(session.server_name), "NAME"},
        "The 'server' header of CONNECTED; empty hides it."},
    Row{"session.sends_beats", "--sends-beats",
        DurationField{STOMPBOX_AT(session.heart_beat.sends_every), kTimeFromZero},
        "Shortest time between heart-beats that we offer to send; 0: none."},
    Row{"session.wants_beats", "--wants-beats",
        DurationField{STOMPBOX_AT(session.heart_beat.wants_every), kTimeFromZero},
        "Time between heart-beats that we ask for; 0: none."},
    Row{"session.login_timeout", "--login-timeout",
        DurationField{STOMPBOX_AT(session.login_timeout)}, "For the whole CONNECT frame."},
    Row{"session.error_hold", "--error-hold", DurationField{STOMPBOX_AT(session.error_hold)},
        "How long a peer is held after its ERROR, so that it does not come back at once."},
    Row{"session.disconnect_hold", "--disconnect-hold",
        DurationField{STOMPBOX_AT(session.disconnect_hold)},
        "How long a leaving peer may take to read what it still gets."},
    Row{"session.shutdown_hold", "--shutdown-hold",
        DurationField{STOMPBOX_AT(session.shutdown_hold)}, "The same when the broker stops."},
    Row{"session.discard_max", "--discard-max", SizeField{STOMPBOX_AT(session.discard_bytes_max)},
        "Input that is thrown away during a hold."},
    Row{"session.subscriptions_max", "--subscriptions-max",
        CountField{STOMPBOX_AT(session.subscription_count_max)},
        "Subscriptions of one connection."},
    Row{"session.subscription_texts_max", "--subscription-texts-max",
        SizeField{STOMPBOX_AT(session.subscription_bytes_max)},
        "Their ids, destinations and selectors, all together."},
    Row{"session.receipts_owed_max", "--receipts-owed-max",
        CountField{STOMPBOX_AT(session.receipts_owed_max)},
        "Receipts that one connection may wait for before it is not read any more."},
    Row{"session.outbox_soft", "--outbox-soft", SizeField{STOMPBOX_AT(session.outbox_bytes_soft)},
        "Output of one connection that may wait before it is given no more messages."},
    Row{"session.outbox_max", "--outbox-max", SizeField{STOMPBOX_AT(session.outbox_bytes_max)},
        "Output of one connection that may wait before it is closed as too slow."},
    Row{"session.auto_credit_count", "--auto-credit-count",
        CountField{STOMPBOX_AT(session.auto_credit_count)},
        "Messages on their way to a subscription with ack:auto."},
    Row{"session.auto_credit", "--auto-credit", SizeField{STOMPBOX_AT(session.auto_credit_bytes)},
        "The same in bytes."},
    Row{"session.client_credit_count", "--client-credit-count",
        CountField{STOMPBOX_AT(session.client_credit_count)},
        "Messages without ACK at a subscription with ack:client or client-individual."},
    Row{"session.client_credit", "--client-credit",
        SizeField{STOMPBOX_AT(session.client_credit_bytes)}, "The same in bytes."},
    Row{"session.credit_count_max", "--credit-count-max",
        CountField{STOMPBOX_AT(session.credit_count_max)},
        "What a subscriber may ask for with prefetch-count."},
    Row{"session.unknown_escapes", "--unknown-escapes",
        STOMPBOX_CHOICE(kEscapePolicies, session.unknown_escapes),
        "Undefined escapes in headers of STOMP 1.1: an ERROR, or kept as they stand."},
    Row{"session.error_receipt_wait", "--error-receipt-wait",
        DurationField{STOMPBOX_AT(session.error_receipt_wait)},
        "How long an ERROR lets earlier receipts go first that wait for the disk."},
    Row{"session.credit_max", "--credit-max", SizeField{STOMPBOX_AT(session.credit_bytes_max)},
        "The same in bytes, for 'credit' and 'consumer-window-size'."},
    Row{"session.unacked_max", "--unacked-max", CountField{STOMPBOX_AT(session.unacked_count_max)},
        "Messages without ACK at one connection before it gets no more."},
    Row{"session.transactions_max", "--transactions-max",
        CountField{STOMPBOX_AT(session.transaction_count_max)},
        "Open transactions of one connection."},
    Row{"session.transaction_actions_max", "--transaction-actions-max",
        CountField{STOMPBOX_AT(session.transaction_actions_max)}, "Frames of one transaction."},
    Row{"session.transaction_max", "--transaction-max",
        SizeField{STOMPBOX_AT(session.transaction_bytes_max)},
        "What all open transactions of one connection may hold."},
    Row{"session.after_denial", "--after-denial",
        STOMPBOX_CHOICE(kAfterDenial, session.after_denial),
        "Whether a denied SEND or SUBSCRIBE ends a connection of STOMP 1.0 or 1.1, too."},
    Row{"limits.body_max", "--body-max", SizeField{STOMPBOX_AT(session.limits.body_bytes_max)},
        "Body of one frame."},
    Row{"limits.headers_count_max", "--headers-count-max",
        CountField{STOMPBOX_AT(session.limits.header_count_max)}, "Headers of one frame."},
    Row{"limits.headers_max", "--headers-max",
        SizeField{STOMPBOX_AT(session.limits.headers_bytes_max)}, "The same in bytes."},
    Row{"limits.header_line_max", "--header-line-max",
        SizeField{STOMPBOX_AT(session.limits.header_line_bytes_max)}, "One header line."},
    Row{"limits.command_max", "--command-max",
        SizeField{STOMPBOX_AT(session.limits.command_bytes_max)}, "The command line of a frame."},
    Row{"limits.frame_before_login_max", "--frame-before-login-max",
        SizeField{STOMPBOX_AT(session.limits.frame_bytes_max_before_login)},
        "A whole frame before the peer is let in."},
    Row{"drain.catalog_queue", "--catalog-queue",
        TextField{STOMPBOX_AT(drain.catalog_queue), "NAME"},
        "Queue whose catalogs are stored; empty stores none."},
    Row{"drain.facts_queue", "--facts-queue", TextField{STOMPBOX_AT(drain.facts_queue), "NAME"},
        "Queue whose facts are stored; empty stores none."},
    Row{"drain.window_count", "--drain-window-count", CountField{STOMPBOX_AT(drain.window_count)},
        "Messages that may be in the drain at once."},
    Row{"drain.window", "--drain-window", SizeField{STOMPBOX_AT(drain.window_bytes)},
        "The same in bytes."},
    Row{"drain.workers", "--drain-workers", CountField{STOMPBOX_AT(drain.workers), {0, 256}},
        "Threads that read and store messages; 0 is a quarter of the cores, 1 to 8. SQLite has one "
        "writer: the others only read."},
    Row{"drain.retry_first", "--drain-retry-first", DurationField{STOMPBOX_AT(drain.retry_first)},
        "First wait after the database was in trouble; doubled each time."},
    Row{"drain.retry_max", "--drain-retry-max", DurationField{STOMPBOX_AT(drain.retry_max)},
        "Longest such wait."},
    Row{"drain.competition_check", "--drain-competition-check",
        DurationField{STOMPBOX_AT(drain.competition_check)},
        "How often it is looked whether somebody else takes from the same queue."},
    Row{"drain.crashes_max", "--drain-crashes-max",
        SmallCountField{STOMPBOX_AT(drain.crash_count_max)},
        "Unclean exits that a message in the drain may see before it is dead-lettered."},
    Row{"drain.forget_after", "--forget-after",
        DurationField{STOMPBOX_AT(drain.forget_after), kTimeFromZero},
        "Nodes of which neither a catalog nor facts have come for so long, as 90d, are forgotten; "
        "0 forgets none."},
    Row{"source.url", "--source", TextField{STOMPBOX_AT(source.url), "URL"},
        "Broker and queue of 'stompbox drain': "
        "stomp://USER@HOST:PORT,HOST2:PORT2/queue/catalog, or stomps:// for TLS."},
    Row{"source.facts", "--source-facts", TextField{STOMPBOX_AT(source.facts), "DESTINATION"},
        "Queue of that broker whose facts are stored; empty stores none."},
    Row{"source.user", "--source-user", TextField{STOMPBOX_AT(source.user), "NAME"},
        "Who logs in there; empty is who stands in the URL."},
    Row{"source.passcode_file", "--source-passcode-file",
        TextField{STOMPBOX_AT(source.passcode_file), "FILE"},
        "Its first line is the passcode; empty is the URL's, or the variable "
        "STOMPBOX_PASSCODE."},
    Row{"source.virtual_host", "--source-virtual-host",
        TextField{STOMPBOX_AT(source.virtual_host), "NAME"},
        "The host header: RabbitMQ takes it for its virtual host."},
    Row{"source.dead_letters", "--source-dead-letters",
        TextField{STOMPBOX_AT(source.dead_letters), "DESTINATION"},
        "Where what cannot be stored is sent; empty is /queue/DLQ. with the queue's name, with "
        "stompbox /queue/dead-letter."},
    Row{"source.heart_beat", "--source-heart-beat",
        DurationField{STOMPBOX_AT(source.beat), kTimeFromZero},
        "How often each side shows that it is there; 0: never."},
    Row{"source.hold_max", "--source-hold-max", DurationField{STOMPBOX_AT(source.hold_max)},
        "How long messages are held while the database is in trouble, before others may take "
        "them."},
    Row{"source.retry_max", "--source-retry-max", DurationField{STOMPBOX_AT(source.retry_max)},
        "Longest wait before the brokers are tried anew."},
    Row{"source.tls_authorities", "--source-tls-authorities",
        TextField{STOMPBOX_AT(source.tls_authorities), "FILE"},
        "Who may have signed the broker's certificate; empty is the system's list."},
    Row{"source.tls_certificate", "--source-tls-certificate",
        TextField{STOMPBOX_AT(source.tls_certificate), "FILE"},
        "The certificate to show the broker; empty is none."},
    Row{"source.tls_key", "--source-tls-key", TextField{STOMPBOX_AT(source.tls_key), "FILE"},
        "Its key; empty is the same file."},
    Row{"catalog.store", "--catalog-store", TextField{STOMPBOX_AT(catalog_store), "STORE"},
        "sqlite:FILE, mysql://USER@HOST:PORT/DATABASE?socket=FILE, none, or auto: "
        "storeconfigs.sqlite3 in the data folder, none with --ephemeral."},
    Row{"catalog.password_file", "--catalog-password-file",
        TextField{STOMPBOX_AT(mysql.password_file), "FILE"},
        "Its first line is the password for mysql://; empty is the variable "
        "STOMPBOX_MYSQL_PASSWORD."},
    Row{"catalog.owner", "--catalog-owner", OptionalTextField{STOMPBOX_AT(sqlite.owner), "USER"},
        "Owner of a database that is made; empty is who runs the broker."},
    Row{"catalog.group", "--catalog-group", OptionalTextField{STOMPBOX_AT(sqlite.group), "GROUP"},
        "Group of a database that is made, for the masters' user."},
    Row{"catalog.mode", "--catalog-mode", ModeField{STOMPBOX_AT(sqlite.mode)},
        "Permission bits of a database that is made."},
    Row{"catalog.lock_max", "--catalog-lock-max", DurationField{STOMPBOX_AT(sqlite.lock_max)},
        "How long a write may lock the database: old masters do not wait."},
    Row{"catalog.busy_timeout", "--catalog-busy-timeout",
        DurationField{STOMPBOX_AT(sqlite.busy_timeout)},
        "How long to wait for somebody else's lock before trying again later."},
    Row{"catalog.full_compare_every", "--catalog-full-compare-every",
        SmallCountField{STOMPBOX_AT(sqlite.full_compare_every)},
        "Every n-th save of a node compares all rows, whatever its digest says."},
    Row{"catalog.exported_only", "--catalog-exported-only", SwitchField{STOMPBOX_AT(sqlite.thin)},
        "Store exported resources only."},
    Row{"catalog.bytes", "--catalog-bytes", STOMPBOX_CHOICE(kBytePolicies, drain.read.byte_policy),
        "What a string that is not UTF-8 is taken for."},
    Row{"catalog.four_bytes", "--catalog-four-bytes", STOMPBOX_CHOICE(kFourBytes, mysql.four_bytes),
        "With MySQL tables in utf8: refuse a character of four bytes, or replace it by U+FFFD."},
    Row{"catalog.store_sensitive", "--catalog-store-sensitive",
        SwitchField{STOMPBOX_AT(drain.read.store_sensitive)},
        "Store values that Puppet marks as sensitive."},
    Row{"catalog.message_max", "--catalog-message-max",
        SizeField{STOMPBOX_AT(drain.read.message_bytes_max)}, "Largest message that is read."},
    Row{"catalog.depth_max", "--catalog-depth-max", CountField{STOMPBOX_AT(drain.read.depth_max)},
        "Deepest nesting that is read."},
    Row{"catalog.resources_max", "--catalog-resources-max",
        CountField{STOMPBOX_AT(drain.read.resource_count_max)}, "Most resources of a catalog."},
    Row{"catalog.values_max", "--catalog-values-max",
        CountField{STOMPBOX_AT(drain.read.value_count_max)}, "Most values of a catalog."},
    Row{"control.socket", "--control-socket", TextField{STOMPBOX_AT(control_socket), "FILE"},
        "Socket of the control door; auto: control.sock in the data folder, none with "
        "--ephemeral."},
    Row{"control.exit_with_parent", "--exit-with-parent",
        SwitchField{STOMPBOX_AT(exit_with_parent)},
        "Stop in order when the process that started the broker is gone."},
    Row{"control.exit_when_stdin_closes", "--exit-when-stdin-closes",
        SwitchField{STOMPBOX_AT(exit_when_stdin_closes)},
        "Stop in order when standard input, a pipe, is closed at its other end."},
    Row{"queues.messages_max", "--queue-messages-max",
        CountField{STOMPBOX_AT(routing.queue_policy.messages_max), kFromZero},
        "Messages that a queue may hold; 0: no bound."},
    Row{"queues.bytes_max", "--queue-bytes-max",
        SizeField{STOMPBOX_AT(routing.queue_policy.bytes_max), kFromZero},
        "The same in bytes; 0: no bound."},
    Row{"queues.age_max", "--queue-age-max",
        DurationField{STOMPBOX_AT(routing.queue_policy.age_max), kTimeFromZero},
        "When a message in a queue expires at the latest; 0: never."},
    Row{"queues.when_full", "--queue-when-full",
        STOMPBOX_CHOICE(kWhenFull, routing.queue_policy.when_full),
        "What a full queue does with one more message: let it wait, or lose its oldest."},
    Row{"queues.dead_letter_queue", "--queue-dead-letter-queue",
        TextField{STOMPBOX_AT(routing.queue_policy.dead_letter_queue), "NAME"},
        "Queue for what cannot be delivered, * for the queue's name; empty: "
        "routing.dead_letter_queue."},
    Row{"queues.expired_to_dead_letters", "--queue-expired-to-dead-letters",
        SwitchField{STOMPBOX_AT(routing.queue_policy.expired_to_dead_letters)},
        "Make dead letters of expired messages; else they are counted and dropped."},
    Row{"queues.redeliveries_max", "--queue-redeliveries-max",
        SmallCountField{STOMPBOX_AT(routing.queue_policy.redeliveries_max), {0, UINT32_MAX}},
        "Returns of a message after which it is a dead letter; 0: never."},
    Row{"queues.redelivery_delay", "--queue-redelivery-delay",
        DurationField{STOMPBOX_AT(routing.queue_policy.redelivery_delay), kTimeFromZero},
        "How long a returned message waits for its next delivery; 0: not at all."},
    Row{"queues.redelivery_backoff", "--queue-redelivery-backoff",
        FactorField{STOMPBOX_AT(routing.queue_policy.redelivery_backoff)},
        "That wait grows by this factor with every return."},
    Row{"queues.redelivery_delay_max", "--queue-redelivery-delay-max",
        DurationField{STOMPBOX_AT(routing.queue_policy.redelivery_delay_max)},
        "Longest such wait."},
    Row{"queues.idle_max", "--queue-idle-max",
        DurationField{STOMPBOX_AT(routing.queue_policy.idle_max), kTimeFromZero},
        "A queue that was empty and without consumers so long disappears; 0: never."},
    Row{"topics.age_max", "--topic-age-max",
        DurationField{STOMPBOX_AT(routing.topic_policy.age_max), kTimeFromZero},
        "When a message to a topic expires at the latest; 0: never."},
    Row{"topics.when_slow", "--topic-when-slow",
        STOMPBOX_CHOICE(kWhenSlow, routing.topic_policy.when_slow),
        "What happens to a subscriber whose backlog is full: it loses the oldest, or is closed."},
};

}  // namespace

std::span<const Row> table() {
  return kRows;
}

const Row* find_row(std::string_view key) {
  for (const Row& row : table()) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

std::string_view section_of(const Row& row) {
  return row.key.substr(0, row.key.find('.'));
}

std::string_view name_of(const Row& row) {
  return row.key.substr(row.key.find('.') + 1);
}

}  // namespace stompbox::options
