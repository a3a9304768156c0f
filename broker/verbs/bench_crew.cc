#include "broker/verbs/bench_crew.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace stompbox::verbs {
namespace {

// A member that is in the middle of a call looks up when that is done.
constexpr std::chrono::seconds kEndPatience{3};

storage::Error failed_to(std::string_view what) {
  return {storage::ErrorCode::kIo,
          "cannot " + std::string(what) + ": " + std::generic_category().message(errno)};
}

struct Pipe {
  OpenFile read, write;
};

storage::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failed_to("make a pipe");
  return Pipe{OpenFile(ends[0]), OpenFile(ends[1])};
}

timespec time_of(std::chrono::nanoseconds wait) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  timespec time{};
  time.tv_sec = static_cast<time_t>(seconds.count());
  time.tv_nsec = static_cast<long>((wait - seconds).count());
  return time;
}

// True when the other end is closed: nobody ever writes there.
bool is_closed(pollfd& entry, std::chrono::nanoseconds wait) {
  const timespec time = time_of(std::max(wait, std::chrono::nanoseconds(0)));
  return ::ppoll(&entry, 1, &time, nullptr) > 0;
}

}  // namespace

OpenFile::OpenFile(OpenFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

OpenFile::~OpenFile() {
  close();
}

void OpenFile::close() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

void BenchDesk::tell(const BenchWord& word) const {
  const std::string bytes = to_bytes(word);
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t written = ::write(words_.number(), left.data(), left.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool BenchDesk::wait_for_go() const {
  std::array<pollfd, 2> entries{pollfd{go_.number(), POLLIN, 0}, pollfd{stop_.number(), POLLIN, 0}};
  while (::poll(entries.data(), entries.size(), -1) < 0) {
  }
  return entries[1].revents == 0;
}

bool BenchDesk::is_over(std::chrono::nanoseconds wait) const {
  pollfd entry{stop_.number(), POLLIN, 0};
  return is_closed(entry, wait);
}

// The two signals as something to read, while it lives.
struct BenchCrew::Signals {
  Signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &wanted, &before);
    file = OpenFile(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  }
  ~Signals() {
    // One that was heard of has been dealt with.
    signalfd_siginfo signal{};
    while (::read(file.number(), &signal, sizeof signal) > 0) {
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  OpenFile file;
  sigset_t before{};
};

storage::Result<BenchCrew> BenchCrew::make() {
  auto go = make_pipe();
  if (!go) return go.error();
  auto stop = make_pipe();
  if (!stop) return stop.error();
  BenchCrew crew;
  crew.go_read_ = std::move(go->read);
  crew.go_write_ = std::move(go->write);
  crew.stop_read_ = std::move(stop->read);
  crew.stop_write_ = std::move(stop->write);
  crew.signals_ = std::make_unique<Signals>();
  crew.latencies_ = std::make_unique<Latencies>();
  return crew;
}

BenchCrew::BenchCrew() = default;

BenchCrew::BenchCrew(BenchCrew&& other) noexcept = default;

BenchCrew::~BenchCrew() {
  stop();
  const auto until = BenchClock::now() + kEndPatience;
  while (working() > 0 && BenchClock::now() < until)
    listen(std::chrono::milliseconds(100));
  for (Member& member : members_) {
    if (member.words.number() < 0) continue;
    ::kill(member.process, SIGKILL);
    bury(member);
  }
}

storage::Status BenchCrew::hire(BenchRole role, const Work& work) {
  auto pipe = make_pipe();
  if (!pipe) return pipe.error();
  const pid_t process = ::fork();
  if (process < 0) return failed_to("start a process");
  if (process == 0) {
    pipe->read.close();
    be_member(pipe->write, work);
  }
  Member& member = members_.emplace_back();
  member.role = role;
  member.process = process;
  member.words = std::move(pipe->read);
  return storage::kOk;
}

void BenchCrew::be_member(const OpenFile& words, const Work& work) {
  // Else it would wait for itself.
  go_write_.close();
  stop_write_.close();
  const BenchDesk desk(words, go_read_, stop_read_);
  const auto status = work(desk);
  if (!status) desk.tell(status.error());
  ::_exit(status ? 0 : 1);
}

void BenchCrew::listen(std::chrono::milliseconds wait) {
  std::vector<pollfd> entries;
  entries.push_back({signals_->file.number(), POLLIN, 0});
  for (const Member& member : members_)
    entries.push_back({member.words.number(), POLLIN, 0});  // of no number nothing comes
  if (::poll(entries.data(), entries.size(), static_cast<int>(wait.count())) <= 0) return;
  if (entries[0].revents != 0) {
    signalfd_siginfo signal{};
    interrupted_ = ::read(signals_->file.number(), &signal, sizeof signal) > 0 || interrupted_;
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (entries[i + 1].revents != 0) hear(members_[i]);
  }
}

void BenchCrew::hear(Member& member) {
  std::array<char, 64 * 1024> buffer;
  const ssize_t size = ::read(member.words.number(), buffer.data(), buffer.size());
  if (size < 0 && errno == EINTR) return;
  if (size <= 0) {
    bury(member);
    return;
  }
  member.heard.feed({buffer.data(), static_cast<std::size_t>(size)});
  while (auto word = member.heard.next())
    take(member, std::move(*word));
}

void BenchCrew::take(Member& member, BenchWord word) {
  if (std::holds_alternative<IsReady>(word)) {
    member.is_ready = true;
  } else if (const auto* done = std::get_if<HasDone>(&word)) {
    member.done = *done;
  } else if (const auto* latencies = std::get_if<Latencies>(&word)) {
    latencies_->add(*latencies);
  } else if (auto* error = std::get_if<storage::Error>(&word); error != nullptr && !failure_) {
    failure_ = std::move(*error);
  }
}

void BenchCrew::bury(Member& member) {
  member.words.close();
  int end = 0;
  while (::waitpid(member.process, &end, 0) < 0 && errno == EINTR) {
  }
  const bool has_said_why = WIFEXITED(end);
  if (has_said_why || failure_) return;
  failure_ = storage::Error{storage::ErrorCode::kIo, "a process of the bench was killed"};
}

std::size_t BenchCrew::ready(BenchRole role) const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(),
      [role](const Member& member) { return member.role == role && member.is_ready; }));
}

std::size_t BenchCrew::working() const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(),
                    [](const Member& member) { return member.words.number() >= 0; }));
}

HasDone BenchCrew::done(BenchRole role) const {
  HasDone all;
  for (const Member& member : members_) {
    if (member.role != role) continue;
    all.messages += member.done.messages;
    all.last = std::max(all.last, member.done.last);
  }
  return all;
}

}  // namespace stompbox::verbs
