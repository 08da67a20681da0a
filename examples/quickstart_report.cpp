#include "quickstart_report.hpp"

#include <algorithm>
#include <iomanip>
#include <numeric>

namespace examples {
namespace {

constexpr std::size_t kClientsShown = 10;
constexpr int kColumn = 10;

std::uint64_t sum(const std::vector<std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t denied_by_all(const std::vector<Tally>& tallies, std::size_t client) {
  std::uint64_t total = 0;
  for (const Tally& tally : tallies) total += tally.denied[client];
  return total;
}

/// The clients with the most denials, those with equally many by name.
std::vector<std::size_t> most_limited(const AccessLog& log, const std::vector<Tally>& tallies) {
  std::vector<std::size_t> clients;
  for (std::size_t client = 0; client < log.clients.size(); ++client) {
    if (denied_by_all(tallies, client) > 0) clients.push_back(client);
  }
  const auto first = [&](std::size_t a, std::size_t b) {
    const std::uint64_t denied_a = denied_by_all(tallies, a);
    const std::uint64_t denied_b = denied_by_all(tallies, b);
    return denied_a != denied_b ? denied_a > denied_b : log.clients[a] < log.clients[b];
  };
  const std::size_t shown = std::min(kClientsShown, clients.size());
  std::partial_sort(clients.begin(), clients.begin() + static_cast<std::ptrdiff_t>(shown),
                    clients.end(), first);
  clients.resize(shown);
  return clients;
}

/// A table with a column for each policy.
class Table {
 public:
  Table(std::ostream& out, const std::vector<Tally>& tallies, std::size_t label_width)
      : out_(out), tallies_(tallies), label_width_(static_cast<int>(label_width)) {}

  /// Prints a line: `label`, then `value` of each tally.
  template <class Value>
  void line(std::string_view label, Value value) const {
    out_ << std::left << std::setw(label_width_) << label << std::right;
    for (const Tally& tally : tallies_) out_ << std::setw(kColumn) << value(tally);
    out_ << '\n';
  }

 private:
  std::ostream& out_;
  const std::vector<Tally>& tallies_;
  int label_width_;
};

std::uint64_t clients_limited(const Tally& tally) {
  return static_cast<std::uint64_t>(std::count_if(tally.denied.begin(), tally.denied.end(),
                                                  [](std::uint64_t count) { return count > 0; }));
}

std::uint64_t decisions_a_second(const Tally& tally) {
  const std::chrono::duration<double> seconds = std::max(tally.time, std::chrono::nanoseconds{1});
  return static_cast<std::uint64_t>(static_cast<double>(tally.decisions) / seconds.count());
}

}  // namespace

void print_report(std::ostream& out, const AccessLog& log, const std::vector<Tally>& tallies) {
  const std::vector<std::size_t> shown = most_limited(log, tallies);
  std::size_t width = 28;
  for (const std::size_t client : shown) {
    width = std::max(width, printable(log.clients[client]).size());
  }
  const Table table(out, tallies, width);

  table.line("policy", [](const Tally& tally) { return tally.policy; });
  table.line("requests", [](const Tally& tally) { return tally.decisions; });
  table.line("allowed", [](const Tally& tally) { return tally.decisions - sum(tally.denied); });
  table.line("denied", [](const Tally& tally) { return sum(tally.denied); });
  table.line("clients limited", clients_limited);

  out << "\nmost limited clients, by requests denied" << (shown.empty() ? ": none\n" : "\n");
  for (const std::size_t client : shown) {
    table.line(printable(log.clients[client]),
               [client](const Tally& tally) { return tally.denied[client]; });
  }
  out << '\n';
  table.line("decisions a second", decisions_a_second);
}

void print_bad_lines(std::ostream& out, const AccessLog& log) {
  for (const AccessLog::BadLine& line : log.first_bad_lines) {
    out << "line " << line.number << " not read, " << line.reason;
    if (!line.text.empty()) out << ": " << printable(line.text);
    out << '\n';
  }
  if (const std::uint64_t more = log.bad_lines - log.first_bad_lines.size(); more > 0) {
    out << "and " << more << " more\n";
  }
}

}  // namespace examples
