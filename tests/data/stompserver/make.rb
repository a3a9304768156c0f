#!/usr/bin/ruby
# Makes the folders beside this script: what StompServer's `file` queue store leaves on the disk, as
# Ruby of today writes it and, with a writer of our own, as Ruby 1.8 did (strings without encoding,
# Date-like objects through _dump, numbers beyond 30 bits as bignums).
require 'fileutils'

module StompServer
  class StompFrame
    attr_accessor :command, :headers, :body

    def initialize(command, headers, body)
      @command, @headers, @body = command, headers, body
    end
  end
end

# Marshal 4.8 as Ruby 1.8 wrote it, for what an index and a frame are made of.
class OldMarshal
  def self.dump(value)
    "\x04\x08".b + new.write(value)
  end

  def initialize
    @symbols = {}
    @objects = {}.compare_by_identity
  end

  def packed(number)
    return [0].pack('c') if number.zero?
    return [number + 5].pack('c') if number.between?(1, 122)
    bytes = []
    while number.positive?
      bytes << (number & 255)
      number >>= 8
    end
    ([bytes.size] + bytes).pack('C*')
  end

  def text(string)
    packed(string.bytesize) + string.b
  end

  def symbol(name)
    return ';'.b + packed(@symbols[name]) if @symbols.key?(name)
    @symbols[name] = @symbols.size
    ':'.b + text(name.to_s)
  end

  def write(value)
    case value
    when nil then '0'.b
    when true then 'T'.b
    when false then 'F'.b
    when Symbol then symbol(value)
    when Integer then integer(value)
    else object(value)
    end
  end

  def integer(number)
    return 'i'.b + packed(number) if number < (1 << 30)
    @objects[Object.new] = @objects.size
    bytes = number.digits(256)
    bytes << 0 if bytes.size.odd?
    'l+'.b + packed(bytes.size / 2) + bytes.pack('C*')
  end

  def object(value)
    return '@'.b + packed(@objects[value]) if @objects.key?(value)
    @objects[value] = @objects.size
    case value
    when String then '"'.b + text(value)
    when Array then '['.b + packed(value.size) + value.map { |one| write(one) }.join
    when Hash then '{'.b + packed(value.size) + value.flatten(1).map { |one| write(one) }.join
    else
      names = value.instance_variables
      'o'.b + symbol(value.class.name.to_sym) + packed(names.size) +
        names.map { |name| symbol(name) + write(value.instance_variable_get(name)) }.join
    end
  end
end

def write_store(folder, dumper, queues, leftovers: {})
  FileUtils.rm_rf(folder)
  FileUtils.mkdir_p(folder)
  index = { queues: {}, frames: {} }
  queues.each do |name, messages|
    queue_folder = "#{folder}/#{name.tr('/', '_')}"
    Dir.mkdir(queue_folder) unless File.directory?(queue_folder)
    ids = messages.keys
    index[:queues][name] = { size: ids.size, frames: ids, msgid: ids.size + 7,
                             enqueued: ids.size + 7, dequeued: 7, exceptions: 0,
                             queue_dir: "/var/lib/stompserver/storage/#{name.tr('/', '_')}" }
    index[:frames][name] = ids.to_h { |id| [id, { exceptions: 0, client_id: nil, expires: nil }] }
    messages.merge(leftovers.fetch(name, {})).each do |id, (headers, body)|
      frame = StompServer::StompFrame.new('SEND', headers.merge('message-id' => id), '')
      image = dumper.dump(frame)
      File.binwrite("#{queue_folder}/#{id}",
                    format('%08x%08x', image.bytesize, body.length) + image + body.b)
    end
  end
  File.binwrite("#{folder}/qinfo", dumper.dump(index))
end

here = __dir__
id = ->(number) { "old.example.com-1262304000-#{100_000 + number}-#{number}" }
plain = lambda do |queue, number|
  [id[number], [{ 'destination' => queue, 'x-number' => number.to_s }, "message #{number}"]]
end

small = {
  '/queue/a' => [1, 2, 3].to_h { |n| plain['/queue/a', n] },
  '/queue/b/c' => {
    id[10] => [{ 'destination' => '/queue/b/c', 'persistent' => 'true', 'receipt' => 'r-1',
                 'content-length' => '4' }, "\x00\xff\n\x00".b],
    id[11] => [{ 'destination' => '/queue/b/c', 'colon' => 'a:b:c', 'empty' => '' }, '']
  },
  '/queue/empty' => {}
}
leftovers = { '/queue/a' => [plain['/queue/a', 99]].to_h }
write_store("#{here}/ruby31", Marshal, small, leftovers: leftovers)
write_store("#{here}/ruby18", OldMarshal, small, leftovers: leftovers)

# A body whose length was counted in characters, as Ruby 1.9 does with text.
write_store("#{here}/characters", Marshal,
            { '/queue/text' => { id[20] => [{ 'destination' => '/queue/text' }, "gr\u00fc\u00dfe"] } })

# Three good messages and every way in which one can be bad.
write_store("#{here}/damaged", Marshal,
            { '/queue/d' => (1..6).to_h { |n| plain['/queue/d', n] } })
damaged = ->(number) { "#{here}/damaged/_queue_d/#{id[number]}" }
File.delete(damaged[2])
File.binwrite(damaged[3], File.binread(damaged[3])[0...-4])
File.binwrite(damaged[5], "00000010zzzzzzzz#{Marshal.dump('no frame')}")

# A dbm store: the index is the same, a queue is a file.
FileUtils.rm_rf("#{here}/dbm")
FileUtils.mkdir_p("#{here}/dbm")
File.binwrite("#{here}/dbm/qinfo",
              Marshal.dump(queues: { '/queue/x' => { size: 1, frames: [id[1]], msgid: 1,
                                                     enqueued: 1, dequeued: 0, exceptions: 0 } },
                           frames: { '/queue/x' => { id[1] => { exceptions: 0 } } }))
File.binwrite("#{here}/dbm/_queue_x.db", 'not looked into')

# Seeds of the fuzz target: one of each kind of value.
corpus = "#{here}/../../fuzz/corpus/marshal"
FileUtils.mkdir_p(corpus)
Pair = Struct.new(:left, :right)
class Tagged < String; end
class Dated
  def _dump(_depth) = 'a date'
  def self._load(text) = text
end
class Kept
  def marshal_dump = ['inside']
  def marshal_load(_) = nil
end
shared = 'shared'
loop_array = [1]
loop_array << loop_array
{
  'numbers' => [0, 1, -1, 122, 123, -123, -124, 255, 256, -256, -257, 65_535, 65_536, 2**30 - 1,
                -2**30, 2**30, 2**62, 2**64, -2**40, 1.5, Float::INFINITY],
  'texts' => ['', 'ascii', "gr\u00fcn", "\xff".b, 'latin'.encode('ISO-8859-1'), :symbol, :symbol,
              :"gr\u00fcn", Tagged.new('tag')],
  'links' => [shared, shared, { shared => shared }, [shared]],
  'hashes' => [{}, { 1 => { 2 => nil } }, Hash.new(5).merge('a' => true), { false => :x }],
  'others' => [Pair.new(1, 'two'), Dated.new, 'after', 'after2', Kept.new, /re/i, String, Math,
               StompServer::StompFrame.new('SEND', { 'a' => 'b' }, nil), 'x'.dup.extend(Comparable)],
  'cycle' => loop_array
}.each { |name, value| File.binwrite("#{corpus}/#{name}", Marshal.dump(value)) }
FileUtils.cp("#{here}/ruby18/qinfo", "#{corpus}/index-1.8")
FileUtils.cp("#{here}/ruby31/qinfo", "#{corpus}/index")
