#include "support/redis_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#include "support/environment.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kLongestStart = std::chrono::seconds(20);
constexpr auto kLongestStop = std::chrono::seconds(5);
constexpr int kAttempts = 10;

std::filesystem::path server_program() {
  const std::string named = environment("RATELIMIT_REDIS_SERVER");
  if (!named.empty()) return named;
  std::istringstream folders(environment("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto program = std::filesystem::path(folder) / "redis-server";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  throw std::runtime_error(
      "these tests need redis-server, which is not in PATH; install it (Debian, Ubuntu: apt-get "
      "install redis-server) or name it in RATELIMIT_REDIS_SERVER");
}

std::filesystem::path fresh_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "ratelimit-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  }
  return name;
}

/// A loopback port that nobody had a moment ago.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  const bool found = fd >= 0 && ::bind(fd, raw, size) == 0 && ::getsockname(fd, raw, &size) == 0;
  const int why = errno;
  if (fd >= 0) ::close(fd);
  if (!found) throw std::system_error(why, std::generic_category(), "looking for a free port");
  return ntohs(address.sin_port);
}

/// Runs a program with its output in a file. It is killed should the thread that starts it end
/// first: a test that crashes leaves no server behind.
pid_t spawn(const std::vector<std::string>& words, const std::filesystem::path& log) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  if (out >= 0) ::close(out);
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  return child;
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> arguments)
    : arguments_(std::move(arguments)), program_(server_program()), folder_(fresh_folder()) {
  start_on_a_free_port();
}

RedisServer::RedisServer(const TlsFiles& files, std::vector<std::string> arguments)
    : scheme_("rediss"),
      port_option_("--tls-port"),
      arguments_({"--port", "0", "--tls-ca-cert-file", files.ca, "--tls-cert-file",
                  files.certificate, "--tls-key-file", files.key, "--tls-auth-clients", "no"}),
      program_(server_program()),
      folder_(fresh_folder()) {
  arguments_.insert(arguments_.end(), arguments.begin(), arguments.end());
  start_on_a_free_port();
}

void RedisServer::start_on_a_free_port() {
  // Another program may take the port between its being found and its being used.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (try_start(free_port())) return;
  }
  const std::string why = log();
  std::filesystem::remove_all(folder_);
  throw std::runtime_error(program_.string() + " does not start:\n" + why);
}

RedisServer::~RedisServer() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool RedisServer::try_start(int port) {
  port_ = port;
  std::vector<std::string> words = {program_.string(),
                                    port_option_,
                                    std::to_string(port),
                                    "--bind",
                                    "127.0.0.1",
                                    "--unixsocket",
                                    socket_path(),
                                    "--dir",
                                    folder_.string(),
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "no",
                                    "--daemonize",
                                    "no"};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  pid_ = spawn(words, folder_ / "log");
  if (wait_until_it_answers()) return true;
  stop();
  return false;
}

bool RedisServer::wait_until_it_answers() {
  const auto deadline = steady_clock::now() + kLongestStart;
  while (!has_ended() && steady_clock::now() < deadline) {
    try {
      // Any answer will do, be it that a password is needed. The socket is this server's alone,
      // while another one may have got the port.
      RespClient probe(socket_path());
      (void)probe.command({"PING"});
      return true;
    } catch (const std::exception&) {
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  return false;
}

bool RedisServer::has_ended() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ <= 0;
}

void RedisServer::stop() {
  client_.reset();
  if (has_ended()) return;
  ::kill(pid_, SIGCONT);
  ::kill(pid_, SIGTERM);
  const auto deadline = steady_clock::now() + kLongestStop;
  while (!has_ended() && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  kill();
}

void RedisServer::kill() {
  client_.reset();
  if (has_ended()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::start() {
  if (!try_start(port_)) throw std::runtime_error("does not start again:\n" + log());
}

void RedisServer::pause() const { ::kill(pid_, SIGSTOP); }

void RedisServer::resume() const { ::kill(pid_, SIGCONT); }

RespClient& RedisServer::client() {
  if (!client_) client_ = std::make_unique<RespClient>(socket_path());
  return *client_;
}

std::vector<std::string> RedisServer::keys() {
  std::vector<std::string> names;
  for (const RespReply& key : command({"KEYS", "*"}).list) names.push_back(key.text);
  return names;
}

std::string RedisServer::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "log").rdbuf();
  return text.str();
}

}  // namespace ratelimit::testing
