import type {
  AttendanceStatus,
  Base,
  MeetingKind,
  MeetingMode,
  MeetingState,
  OptionKind,
  Reason,
  Role,
  VoteState,
} from "../gql/graphql";
import type { Problem } from "../server/problem";
import { votingVi } from "./voting-vi";

// Vietnamese is the first language: its shape is the type of every other catalogue.

const reasons: Record<Reason, string> = {
  NOT_SIGNED_IN: "Bạn cần đăng nhập lại.",
  NOT_FOUND: "Không tìm thấy nội dung này.",
  NOT_ALLOWED: "Bạn không có quyền thực hiện việc này.",
  INVALID_CODE: "Mã không đúng hoặc đã hết hạn. Hãy kiểm tra lại trên thẻ của bạn.",
  TRY_AGAIN_LATER: "Đang có quá nhiều người cùng đăng nhập. Hãy thử lại sau ít giây.",
  INVALID_INPUT: "Thông tin gửi đi chưa đúng.",
  NOT_ENTITLED: "Bạn không có tên trong danh sách biểu quyết lần này.",
  ALREADY_VOTED: "Bạn đã biểu quyết rồi. Mỗi người chỉ biểu quyết một lần.",
  KEY_REUSED: "Phiếu của bạn đã được gửi trước đó với lựa chọn khác.",
  INVALID_CHOICE: "Lựa chọn này không có trong phiếu.",
  VOTE_NOT_OPEN: "Biểu quyết chưa được mở.",
  VOTE_CLOSED: "Biểu quyết đã kết thúc.",
  VOTE_STILL_OPEN: "Còn một biểu quyết đang mở. Hãy kết thúc biểu quyết đó trước.",
  MEETING_NOT_IN_SESSION: "Cuộc họp hiện không diễn ra.",
  WRONG_STATE: "Việc này không còn phù hợp với tình hình cuộc họp lúc này.",
  ITEM_NOT_CURRENT: "Chỉ biểu quyết được ở nội dung đang thảo luận.",
  NO_CHAIR: "Cuộc họp chưa có người chủ trì.",
  TOO_FEW_FULL_MEMBERS: "Chưa đủ số thành viên chính thức để họp.",
  NO_QUORUM: "Chưa đủ số người có mặt theo quy định.",
  TOO_FEW_CANDIDATES: "Số ứng cử viên ít hơn số cần bầu.",
  TOO_MANY_CANDIDATES: "Số ứng cử viên vượt quá số dư cho phép.",
  TOO_FEW_VOTERS_FOR_SECRECY: "Quá ít người biểu quyết để bỏ phiếu kín.",
  STILL_VOTING: "Còn người có mặt chưa biểu quyết. Hãy đặt thời gian kết thúc.",
  SECOND_OFFICER_NEEDED: "Cần một người phụ trách khác xác nhận.",
  ONLINE_NOT_ALLOWED: "Chưa đủ điều kiện để họp trực tuyến.",
  INVALID_RULE: "Quy tắc biểu quyết không hợp lệ.",
  TOO_MANY_REQUESTS: "Quá nhiều yêu cầu. Hãy chờ một lát rồi thử lại.",
  TOO_COSTLY: "Yêu cầu quá nhiều dữ liệu cùng một lúc.",
  HANDS_NOT_COUNTED: "Chỉ đếm giơ tay trong biểu quyết công khai và khi họp tại phòng họp.",
  NOT_IN_ROOM: "Chỉ đếm giơ tay của người đã báo có mặt và đã được xác nhận tại phòng họp.",
  HAND_CONTESTED: "Người này đã phản đối việc đếm giơ tay; họ tự biểu quyết.",
};

const otherProblems: Record<Exclude<Problem, Reason>, string> = {
  UNREACHABLE: "Chưa kết nối được máy chủ. Hãy kiểm tra mạng rồi thử lại.",
  FAULT: "Có lỗi ngoài ý muốn. Hãy thử lại sau ít phút.",
  STOPPED: "Màn hình này không còn được cập nhật. Hãy tải lại trang.",
};

const bases: Record<Base, string> = {
  ENTITLED: "số người có quyền biểu quyết",
  SUMMONED: "số người có quyền biểu quyết được triệu tập",
  PRESENT_AT_OPENING: "số người có quyền biểu quyết có mặt khi mở biểu quyết",
  PRESENT: "số người có quyền biểu quyết có mặt",
  BALLOTS_CAST: "số phiếu đã bỏ",
  VALID_BALLOTS: "số phiếu hợp lệ",
  FOR_AND_AGAINST: "tổng số phiếu tán thành và không tán thành",
};

const options: Record<OptionKind, string> = {
  FOR: "Tán thành",
  AGAINST: "Không tán thành",
  ABSTAIN: "Không có ý kiến",
  CHOICE: "Lựa chọn",
  MEASURE: "Hình thức",
};

const voteStates: Record<VoteState, string> = {
  PREPARED: "Chưa mở",
  OPEN: "Đang biểu quyết",
  CLOSED: "Đã kết thúc",
  ANNULLED: "Đã hủy",
};

const meetingStates: Record<MeetingState, string> = {
  DRAFT: "Đang soạn",
  SUMMONED: "Đã triệu tập",
  IN_SESSION: "Đang họp",
  PAUSED: "Đang tạm nghỉ",
  CLOSED: "Đã kết thúc",
  MINUTES_SIGNED: "Đã ký biên bản",
  CANCELLED: "Đã hủy",
};

const kinds: Record<MeetingKind, string> = {
  REGULAR: "Họp thường kỳ",
  THEMATIC: "Họp chuyên đề",
  EXTRAORDINARY: "Họp bất thường",
  CONGRESS: "Đại hội",
};

const modes: Record<MeetingMode, string> = {
  IN_PERSON: "Họp trực tiếp",
  HYBRID: "Trực tiếp và trực tuyến",
  ONLINE: "Họp trực tuyến",
};

const attendance: Record<AttendanceStatus, string> = {
  PRESENT: "Có mặt",
  EXCUSED: "Vắng có lý do",
  ABSENT: "Chưa điểm danh",
  EXCUSE_REQUESTED: "Xin vắng",
};

const roles: Record<Role, string> = {
  SECRETARY: "Bí thư",
  DEPUTY_SECRETARY: "Phó bí thư",
  COMMITTEE_MEMBER: "Cấp ủy viên",
  OVERSEER: "Cấp ủy viên theo dõi chi bộ",
};

export const vi = {
  name: "Họp chi bộ",

  header: {
    otherLanguage: "English",
    textSize: "Cỡ chữ",
    textSizes: { normal: "vừa", large: "lớn", larger: "rất lớn" },
    skip: "Đến nội dung chính",
    home: "Về trang chủ",
  },

  opening: "Đang mở…",
  unreachable: {
    title: "Chưa kết nối được",
    explanation:
      "Máy này chưa liên lạc được với máy chủ. Màn hình sẽ tự mở khi có mạng, bạn không cần làm gì.",
  },
  notFound: { title: "Không có trang này", home: "Về trang chủ" },
  reload: "Tải lại trang",
  cancel: "Quay lại",

  signIn: {
    title: "Đăng nhập",
    explanation: "Nhập mã kích hoạt in trên thẻ của bạn, hoặc quét mã QR trên thẻ.",
    code: "Mã kích hoạt",
    missing: "Hãy nhập mã kích hoạt.",
    submit: "Đăng nhập",
    submitting: "Đang đăng nhập…",
    ended:
      "Phiên đăng nhập đã kết thúc. Đây là việc bình thường để giữ an toàn cho bạn; hãy đăng nhập lại để tiếp tục.",
    help: "Chưa có mã? Hãy hỏi bí thư chi bộ của bạn.",
  },

  session: {
    endsSoon: "Sắp hết phiên đăng nhập. Bạn có muốn tiếp tục không?",
    last: "Phiên này không kéo dài thêm được. Hết giờ, bạn chỉ cần đăng nhập lại.",
    left: (time: string) => `Còn ${time}`,
    stay: "Tiếp tục đăng nhập",
  },

  home: {
    title: "Trang chủ",
    greeting: (name: string) => `Xin chào, ${name}`,
    now: "Cuộc họp đang diễn ra",
    next: "Cuộc họp sắp tới",
    none: "Hiện chưa có cuộc họp nào được triệu tập.",
    enter: "Vào cuộc họp",
    view: "Xem cuộc họp",
    others: "Các cuộc họp khác",
    more: "Xem thêm",
    signOut: "Đăng xuất",
    sessions: "Nơi bạn đang đăng nhập",
    roleIn: (role: string, unit: string) => `${role}, ${unit}`,
  },

  units: {
    title: "Đơn vị phụ trách",
    members: (count: string, _one: boolean) => `${count} thành viên`,
    inSession: (count: string, _one: boolean) => `${count} cuộc họp đang diễn ra`,
    membersTotal: "Thành viên",
    inSessionTotal: "Cuộc họp đang diễn ra",
    below: "Các đơn vị trực thuộc",
    childless: "Đơn vị này không có đơn vị trực thuộc.",
    live: "Đang họp",
    quiet: "Hiện không có cuộc họp nào đang diễn ra.",
    scheduled: (count: string, _one: boolean) => `${count} cuộc họp sắp bắt đầu`,
    paused: (count: string) => `${count} cuộc họp đang tạm nghỉ`,
    closed: (count: string) => `${count} cuộc họp đã kết thúc hôm nay`,
    openVotes: (count: string, _one: boolean) => `${count} biểu quyết đang mở`,
    openVotesTotal: "Biểu quyết đang mở",
    presentTotal: "Có mặt",
    connectedTotal: "Đang kết nối",
    present: (present: string, summoned: string) => `Có mặt ${present}/${summoned}`,
    few: "Không hiển thị",
    fewHint: "Số liệu về dưới năm người, và số liệu giúp suy ra chúng, không được hiển thị.",
  },

  meeting: {
    opening: "Đang mở cuộc họp…",
    unavailable: "Không mở được cuộc họp",
    barred:
      "Hiện bạn không được xem cuộc họp này. Nếu có gì chưa đúng, hãy hỏi bí thư chi bộ của bạn.",
    closedAt: (when: string) => `Kết thúc lúc ${when}`,
    turnout: (present: string, summoned: string) => `Có mặt ${present}/${summoned}`,
    notStarted: "Cuộc họp chưa bắt đầu. Màn hình sẽ tự chuyển khi chủ trì khai mạc.",
    paused: "Cuộc họp đang tạm nghỉ. Màn hình sẽ tự chuyển khi họp tiếp.",
    ended: "Cuộc họp đã kết thúc. Cảm ơn bạn đã tham dự.",
    cancelled: "Cuộc họp này đã bị hủy.",
    noItem: "Chưa chuyển đến nội dung nào.",
    current: "Nội dung hiện tại",
    currentOf: (position: string, total: string) => `Nội dung ${position}/${total}`,
    agenda: "Chương trình",
    done: "Đã qua",
    here: "Đang thảo luận",
    results: "Kết quả biểu quyết",
    checkIn: "Điểm danh có mặt",
    checkInHint: "Bạn đang dự cuộc họp này? Hãy điểm danh để được tính là có mặt.",
    checkedIn: "Bạn đã điểm danh có mặt",
  },

  proxy: {
    open: "Tôi sẽ vắng, nhờ người biểu quyết thay",
    another: "Nhờ người khác biểu quyết thay",
    title: "Nhờ người biểu quyết thay",
    meaning:
      "Khi bạn vắng, người bạn chọn biểu quyết thay bạn trong những biểu quyết mở từ lúc này về các việc sau:",
    most: (matter: string, most: string) =>
      `${matter}: mỗi người biểu quyết thay được cho nhiều nhất ${most} người`,
    limits:
      "Biểu quyết đang mở không thay đổi. Nếu bạn đến và điểm danh, bạn tự biểu quyết. Không rút lại được, nhưng lúc nào cũng có thể nhờ người khác.",
    who: "Ai biểu quyết thay bạn?",
    action: "Nhờ người này",
    given: (name: string) => `Khi bạn vắng, ${name} biểu quyết thay bạn.`,
    held: (names: string) =>
      `Đã nhờ bạn biểu quyết thay khi vắng: ${names}. Nơi quy tắc cho phép, phiếu của bạn tính cho cả họ.`,
  },

  chair: {
    panel: "Bảng điều khiển của chủ trì",
    nextStep: "Bước tiếp theo",
    start: "Khai mạc cuộc họp",
    startHint: (present: string, summoned: string) =>
      `Đã có ${present}/${summoned} người điểm danh.`,
    resume: "Họp tiếp",
    resumeHint: "Cuộc họp đang tạm nghỉ.",
    firstItem: "Bắt đầu nội dung thứ nhất",
    nextItem: "Chuyển nội dung tiếp theo",
    nextItemHint: (title: string) => `Tiếp theo: ${title}`,
    openVote: "Mở biểu quyết",
    openVoteHint: (question: string) => `Biểu quyết: ${question}`,
    closeVote: "Kết thúc biểu quyết",
    closeVoteHint: (cast: string, eligible: string) =>
      `Đã có ${cast}/${eligible} người biểu quyết.`,
    closeMeeting: "Kết thúc cuộc họp",
    closeMeetingHint: "Đã đi hết chương trình.",
    pause: "Tạm nghỉ",
    moveTo: "Chuyển đến",
    working: "Đang thực hiện…",
    confirmVote: {
      title: "Kết thúc biểu quyết?",
      everyone: (eligible: string) => `Tất cả ${eligible} người đã biểu quyết.`,
      missing: (cast: string, eligible: string) => `Mới có ${cast}/${eligible} người biểu quyết.`,
      final:
        "Sau khi kết thúc, không ai gửi phiếu được nữa. Kết quả được công bố ngay, trừ khi còn phải giải quyết ngang phiếu.",
    },
    confirmMeeting: {
      title: "Kết thúc cuộc họp?",
      final: "Sau khi kết thúc, cuộc họp không mở lại được.",
    },
    rollCall: "Điểm danh",
    absentAtEnd: "Vắng mặt",
    seen: (count: string) => `Chủ trì đã thấy trong phòng: ${count}`,
    connected: (count: string) => `Đang kết nối: ${count}`,
    see: "Thấy trong phòng",
    seenAt: (when: string) => `Đã thấy trong phòng lúc ${when}`,
    seeHint: "Đánh dấu người bạn thấy trong phòng. Điểm danh vẫn do từng người tự làm.",
  },

  vote: {
    notOpenYet: "Chủ trì sẽ mở biểu quyết. Bạn chưa cần làm gì.",
    ballot: "Ý kiến của bạn",
    cast: "Gửi phiếu",
    sending: "Đang gửi phiếu…",
    waiting: "Chưa có xác nhận. Mạng đang yếu; phiếu của bạn được giữ ở máy này và sẽ tự gửi lại.",
    choose: "Hãy chọn một ý kiến trước khi gửi.",
    recorded: "Phiếu của bạn đã được ghi nhận",
    recordedChoice: (choice: string, when: string) => `${choice}, lúc ${when}`,
    noBallot: "Bạn không có phiếu trong lần biểu quyết này.",
    noBallotProbationary: "Thành viên dự bị dự họp và thảo luận nhưng không biểu quyết.",
    tally: "Số phiếu",
    castOf: (cast: string, eligible: string) => `Đã biểu quyết: ${cast}/${eligible}`,
    shareOf: (eligible: string) => `Tỷ lệ tính trên ${eligible} người có quyền biểu quyết.`,
    details: "Xem số phiếu",
    announceOpen: (question: string) => `Đã mở biểu quyết: ${question}`,
    announceClosed: (sentence: string) => `Biểu quyết đã kết thúc. ${sentence}`,
  },

  voting: votingVi,

  link: {
    down: "Mất kết nối. Đang tự kết nối lại…",
    inDoubt: "Đang kiểm tra kết nối. Màn hình có thể đã cũ.",
    age: (duration: string) => `Màn hình đang hiện tình hình cách đây ${duration}.`,
  },

  reasons,
  otherProblems,
  bases,
  options,
  voteStates,
  meetingStates,
  kinds,
  modes,
  attendance,
  roles,
};

export type Messages = typeof vi;
