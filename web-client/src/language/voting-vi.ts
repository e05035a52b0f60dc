import type {
  Comparison,
  Empty,
  LeftOut,
  Matter,
  Method,
  NextStep,
  NotInBase,
  Overvote,
  Secrecy,
  TieRule,
  Validity,
  Verdict,
  VoteWarning,
} from "../gql/graphql";

// What the screen says about votes beyond a simple one: rules, papers, results, the chair's acts.

const matters: Record<Matter, string> = {
  ORDINARY: "Việc thông thường",
  TWO_THIRDS: "Việc cần hai phần ba",
  ADMISSION: "Kết nạp",
  DISCIPLINE: "Kỷ luật",
  ELECTION: "Bầu cử",
  BYLAWS: "Sửa đổi điều lệ",
  PURPOSE: "Thay đổi mục đích của tổ chức",
  DISSOLUTION: "Giải thể",
};

const methods: Record<Method, string> = {
  FOR_AGAINST_ABSTAIN: "Tán thành, không tán thành hoặc không có ý kiến",
  CHOOSE_UP_TO: "Chọn trong danh sách",
  YES_NO_PER_CANDIDATE: "Tán thành hoặc không tán thành từng người",
  ORDERED_CUMULATIVE: "Chọn một hình thức, xếp từ nặng nhất",
};

const secrecy: Record<Secrecy, string> = {
  OPEN: "Biểu quyết công khai: ai chọn gì được ghi vào hồ sơ.",
  UNATTRIBUTED:
    "Kết quả không cho thấy ai đã chọn gì. Về kỹ thuật, người vận hành cơ sở dữ liệu có thể tìm ra.",
};

const comparisons: Record<Comparison, string> = {
  PLURALITY: "Nhiều phiếu nhất thì được chọn.",
  MORE_FOR_THAN_AGAINST: "Được thông qua khi số tán thành nhiều hơn số không tán thành.",
};

const leftOut: Record<LeftOut, string> = {
  PROBATIONARY: "Thành viên dự bị",
  SUSPENDED: "Đang bị đình chỉ",
  EXEMPT: "Được miễn sinh hoạt",
  FULL: "Không thuộc diện biểu quyết việc này",
  TEMPORARY_ATTACHMENT: "Sinh hoạt tạm thời ở đây",
  RECUSED: "Không tham gia vì việc liên quan đến mình",
  REPRESENTED: "Đã ủy quyền cho người khác",
};

const notInBase: Record<NotInBase, string> = {
  TEMPORARILY_ELSEWHERE: "Đang sinh hoạt tạm thời nơi khác",
  EXEMPT_ABSENT: "Được miễn sinh hoạt và vắng mặt",
  SUSPENDED: "Đang bị đình chỉ",
  EXCUSED_WHOLE_MEETING: "Vắng có lý do cả cuộc họp",
  RECUSED: "Không tham gia vì việc liên quan đến mình",
  NOT_SUMMONED: "Không được triệu tập",
  NOT_PRESENT_AT_OPENING: "Không có mặt khi mở biểu quyết",
  NOT_PRESENT: "Không có mặt",
};

const nextSteps: Record<NextStep, string> = {
  CHAIR_MUST_CAST: "Số phiếu ngang nhau. Chủ trì quyết định.",
  REVOTE: "Số phiếu ngang nhau. Cần biểu quyết lại giữa những lựa chọn ngang phiếu.",
  SENIORITY: "Số phiếu ngang nhau. Cần xếp thứ tự thâm niên.",
  LOT: "Số phiếu ngang nhau. Cần bốc thăm.",
  BODY_DECIDES: "Số phiếu ngang nhau. Cuộc họp quyết định.",
  FURTHER_ROUND: "Chưa bầu đủ số lượng. Cần bầu thêm một vòng.",
  VOTE_AGAIN: "Quá ít phiếu nên không ai được xem số phiếu. Cần biểu quyết lại.",
};

const tieRules: Record<TieRule, string> = {
  LOST: "ngang phiếu là không được thông qua",
  CHAIR_CASTS: "chủ trì quyết định",
  REVOTE_TIED: "biểu quyết lại",
  SENIORITY: "theo thâm niên",
  LOT: "bốc thăm",
  BODY_DECIDES: "cuộc họp quyết định",
};

const validities: Record<Validity, string> = {
  VALID: "Hợp lệ",
  BLANK: "Phiếu trắng",
  INVALID: "Không hợp lệ",
};

const verdicts: Record<Verdict, string> = {
  CARRIED: "Được thông qua",
  NOT_CARRIED: "Không được thông qua",
  UNDECIDED: "Chưa quyết định",
  TOO_FEW_BALLOTS: "Quá ít phiếu",
};

const warnings: Record<VoteWarning, string> = {
  SMALL_GROUP:
    "Có quá ít người được biểu quyết việc này để giữ bí mật lựa chọn. Chỉ mở được khi có thêm người.",
};

const marks: Record<Overvote, (most: string) => string> = {
  INVALID: (most) => `Chọn được nhiều nhất ${most}; chọn nhiều hơn thì phiếu không hợp lệ.`,
  REFUSED: (most) => `Chọn được nhiều nhất ${most}; chọn nhiều hơn thì phiếu không được nhận.`,
};

const over: Record<Overvote, (most: string) => string> = {
  INVALID: (most) =>
    `Chỉ được chọn nhiều nhất ${most}; chọn thêm thì phiếu không hợp lệ. Muốn chọn khác, hãy bỏ bớt một dấu đã chọn.`,
  REFUSED: (most) =>
    `Chỉ được chọn nhiều nhất ${most}; chọn thêm thì phiếu không được nhận. Muốn chọn khác, hãy bỏ bớt một dấu đã chọn.`,
};

/** What a ballot without a mark is; where it is refused there is none. */
const blanks: Record<Empty, string> = {
  BLANK: "Phiếu trắng",
  INVALID: "Phiếu không chọn gì, không hợp lệ",
  REFUSED: "Không chọn gì",
};

const blankTitles: Record<Empty, string> = {
  BLANK: "Gửi phiếu trắng?",
  INVALID: "Gửi phiếu không hợp lệ?",
  REFUSED: "Chưa chọn gì",
};

const blankTexts: Record<Empty, string> = {
  BLANK: "Bạn chưa chọn gì. Phiếu trắng vẫn được tính là một phiếu đã bỏ.",
  INVALID:
    "Bạn chưa chọn gì. Phiếu vẫn được nhận và bạn được tính là đã biểu quyết, nhưng phiếu không hợp lệ.",
  REFUSED: "Phiếu không chọn gì thì không được nhận.",
};

const blankActions: Record<Empty, string> = {
  BLANK: "Gửi phiếu trắng",
  INVALID: "Gửi phiếu không hợp lệ",
  REFUSED: "Gửi phiếu",
};

export const votingVi = {
  matters,
  methods,
  secrecy,
  leftOut,
  notInBase,
  nextSteps,
  tieRules,
  validities,
  verdicts,
  warnings,

  rule: {
    comparisons,
    share: (over: boolean, fraction: string, base: string) =>
      `${over ? "quá" : "ít nhất"} ${fraction} ${base}`,
    motion: (share: string) => `Được thông qua khi tán thành đạt ${share}.`,
    election: (seats: string, share: string) =>
      `Bầu ${seats} người. Người trúng cử cần được ${share}.`,
    electionByPlurality: (seats: string) => `Bầu ${seats}. Ai nhiều phiếu nhất thì trúng cử.`,
    measures: (share: string) =>
      `Phiếu cho hình thức nặng hơn được cộng cho hình thức nhẹ hơn. Hình thức được chọn khi cộng lại đạt ${share}.`,
    heaviest: (share: string) => `Riêng hình thức nặng nhất cần ${share}.`,
    heavier: (place: string, share: string) => `Hình thức thứ ${place} từ nặng nhất cần ${share}.`,
    surplus: (most: string, share: string) =>
      `Số ứng cử viên nhiều nhất là ${most}: số dư không quá ${share} số cần bầu.`,
    marks,
    empty: {
      BLANK: "Phiếu không đánh dấu gì là phiếu trắng.",
      INVALID: "Phiếu không đánh dấu gì là phiếu không hợp lệ.",
    },
    hidden: "Số phiếu từng lựa chọn chỉ hiện sau khi công bố kết quả.",
    hiddenButChair: "Trong lúc biểu quyết chỉ chủ trì thấy số phiếu từng lựa chọn.",
    lastCounts: "Đổi được phiếu cho đến khi kết thúc.",
    duration: (time: string) => `Tự kết thúc sau ${time}.`,
  },

  paper: {
    chosen: (count: string, most: string) => `Đã chọn ${count}, nhiều nhất ${most}`,
    votedFor: (count: string, most: string) => `Đã tán thành ${count}, nhiều nhất ${most}`,
    over,
    clear: "Xóa các dấu đã chọn",
    blankTitles,
    blankTexts,
    blankActions,
    lastCounts: "Bạn có thể đổi phiếu cho đến khi biểu quyết kết thúc.",
    change: "Đổi phiếu",
    keep: "Giữ phiếu đã gửi",
    changeFailed: "Phiếu mới chưa được ghi nhận. Phiếu đã gửi trước đó vẫn được tính.",
    tracker: (tracker: string) => `Mã phiếu: ${tracker}`,
    trackerHint: "Dùng mã này để tìm phiếu của bạn trong hồ sơ sau khi công bố kết quả.",
    untraced: "Máy chủ chỉ ghi nhận rằng bạn đã biểu quyết, không gắn tên bạn với lựa chọn.",
    recordedAt: (when: string) => `Lúc ${when}`,
    blanks,
    candidates: "Danh sách ứng cử viên",
    answers: "Các lựa chọn",
    measures: "Các hình thức, từ nặng nhất",
    noCandidates: "Chưa có ứng cử viên.",
  },

  live: {
    remaining: (time: string) => `Còn ${time}`,
    timeOver: "Hết giờ. Đang kiểm phiếu…",
    byHand: (count: string) => `Trong đó ${count} giơ tay tại chỗ`,
    hidden: "Số phiếu từng lựa chọn sẽ hiện sau khi công bố kết quả.",
    never: "Không ai được xem số phiếu từng lựa chọn.",
    blanks: (count: string) => `Phiếu trắng: ${count}`,
    invalid: (count: string) => `Phiếu không hợp lệ: ${count}`,
  },

  hand: {
    counted: "Chủ trì đã ghi nhận bạn giơ tay",
    choice: (option: string) => `Lựa chọn được ghi: ${option}`,
    hint: "Nếu không đúng, hãy phản đối trước khi biểu quyết kết thúc: giơ tay này không tính nữa và bạn tự gửi phiếu.",
    contest: "Không đúng, tôi tự biểu quyết",
  },

  result: {
    base: (base: string, name: string, needed: string) =>
      `Cơ sở tính: ${base} (${name}). Cần ít nhất ${needed}.`,
    ranking: "Kết quả bầu cử",
    rank: (rank: string) => `Thứ ${rank}`,
    elected: "Trúng cử",
    votes: (count: string) => `${count} phiếu`,
    votesAndAgainst: (count: string, against: string) =>
      `${count} tán thành, ${against} không tán thành`,
    needs: (needed: string) => `cần ${needed}`,
    measures: "Kết quả từng hình thức",
    measureChosen: "Được chọn",
    cumulative: (votes: string, cumulative: string, needed: string) =>
      `${votes} phiếu, cộng dồn ${cumulative}, cần ${needed}`,
    tied: (names: string, places: string) => `Ngang phiếu: ${names}, cho ${places} chỗ.`,
    broken: (how: string, names: string) => `Đã giải quyết (${how}): ${names}.`,
    seed: "Mã bốc thăm (ai cũng có thể bốc lại bằng mã này):",
    never: "Biểu quyết bị hủy trước khi công bố. Không ai được xem số phiếu.",
    onlyYou: "Chỉ chủ trì thấy kết quả này cho đến khi công bố.",
    waitForChair: "Chủ trì sẽ công bố kết quả. Bạn chưa cần làm gì.",
    annulled: "Biểu quyết này đã bị hủy",
    proposed: (name: string) =>
      `${name} đề nghị hủy biểu quyết này. Cần một người phụ trách khác xác nhận.`,
    reason: (reason: string) => `Lý do: ${reason}`,
    repeats: "Biểu quyết này làm lại một biểu quyết trước.",
    rounds: (count: string) => `Số lần đã bị hủy trước đó: ${count}.`,
    toEarlier: "Xem biểu quyết trước",
    repeated: "Đã có biểu quyết làm lại.",
    toLater: "Xem biểu quyết làm lại",
    details: "Danh sách và kiểm chứng",
    notInBase: "Không nằm trong cơ sở tính",
    outOfBase: (count: number) =>
      count === 0
        ? "Không ai bị loại khỏi cơ sở tính."
        : `Số người không tính vào cơ sở: ${count}.`,
    notEntitled: "Không có quyền biểu quyết",
    noBallot: "Không có phiếu",
    lateComers: "Được thêm vào danh sách trong lúc biểu quyết",
    record: "Ai đã chọn gì",
    hands: "Giơ tay được ghi tại phòng họp",
    proxies: "Biểu quyết thay theo ủy quyền",
    proxy: (holder: string, givers: string) => `${holder} thay cho ${givers}`,
    suspendedMeanwhile: "Bị đình chỉ trong lúc biểu quyết",
    head: "Mã kiểm chứng:",
    headHint: "Mã này cố định mọi việc đã xảy ra với biểu quyết và có trong biên bản.",
  },

  prepare: {
    open: "Chuẩn bị biểu quyết",
    step: (step: string, of: string) => `Bước ${step}/${of}`,
    titles: ["Biểu quyết về việc gì?", "Câu hỏi và phiếu", "Kiểm tra và lưu"],
    item: "Thuộc nội dung",
    matter: "Loại việc",
    noRules: "Chi bộ chưa có quy tắc biểu quyết nào.",
    question: "Câu hỏi biểu quyết",
    candidates: "Ứng cử viên",
    candidatesHint: "Có thể đề cử thêm cho đến khi mở biểu quyết.",
    answers: "Các lựa chọn",
    measures: "Các hình thức, từ nặng nhất đến nhẹ nhất",
    answer: (number: string) => `Dòng ${number}`,
    add: "Thêm một dòng",
    remove: (name: string) => `Bỏ ${name}`,
    seats: "Số người được bầu",
    time: "Thời gian",
    asRuleSays: "Theo quy tắc",
    untilClosed: "Không hẹn giờ",
    recused: "Người không tham gia vì việc liên quan đến mình",
    recusedCount: (count: string) => `Đã chọn ${count} người`,
    nobodyRecused: "Không có ai",
    next: "Tiếp tục",
    back: "Quay lại",
    leave: "Đóng, giữ bản nháp",
    save: "Lưu biểu quyết",
    missing: {
      matter: "Hãy chọn loại việc.",
      question: "Hãy viết câu hỏi.",
      measures: "Hãy viết ít nhất một hình thức.",
      seats: "Số người được bầu phải từ 1 trở lên.",
      same: "Có hai dòng giống nhau.",
    },
    afterwards: "Lưu xong, biểu quyết vẫn chưa mở. Bạn mở khi cuộc họp đến nội dung này.",
    nominate: "Đề cử thêm",
    nominee: "Họ và tên",
    nominateAction: "Đề cử",
    prepared: (count: string, _one: boolean) => `Đã chuẩn bị ${count} biểu quyết`,
    needCandidates: (count: string) => `Cần ít nhất ${count} ứng cử viên trước khi mở.`,
    tooManyCandidates: (most: string) =>
      `Quy tắc chỉ cho phép nhiều nhất ${most} ứng cử viên, nên chưa mở được.`,
  },

  lead: {
    tools: "Việc khác của chủ trì",
    openAnyway: "Mở biểu quyết?",
    publish: "Công bố kết quả",
    publishHint: "Bạn đã thấy kết quả. Những người khác chưa thấy.",
    publishHiddenHint: "Chưa ai thấy kết quả trước khi công bố, kể cả bạn.",
    breakTie: "Giải quyết ngang phiếu",
    repeat: "Chuẩn bị biểu quyết lại",
    extend: "Thêm thời gian",
    limit: "Đặt thời gian kết thúc",
    extendBy: (minutes: string) => `Thêm ${minutes} phút`,
    limitTo: (minutes: string) => `Sau ${minutes} phút`,
    lateComer: "Thêm người đến muộn",
    lateComerHint: "Người được thêm sẽ có tên trong danh sách biểu quyết. Việc này được ghi lại.",
    everyoneOnRoll: "Mọi người điểm danh đều đã có trong danh sách biểu quyết.",
    lateComerAction: "Thêm vào danh sách",
    pickOne: "Hãy chọn một người.",
    hands: "Ghi số giơ tay",
    handsHint:
      "Chọn một phương án rồi chạm vào tên những người giơ tay. Cả chi bộ sẽ thấy tên và lựa chọn; ai bị ghi sai có thể phản đối.",
    handsFor: "Giơ tay cho phương án nào?",
    handsWho: "Ai đã giơ tay? (đã báo có mặt và được xác nhận tại phòng họp)",
    handsAction: (count: string) => `Ghi ${count} giơ tay`,
    handsNobody: "Hãy chọn ít nhất một người.",
    handsRefused: (names: string) => `Không tính những người này: ${names}.`,
    nobodyInRoom:
      "Không còn ai để đếm: hãy xác nhận người có mặt tại phòng họp trong phần điểm danh trước.",
    handsBack: "Rút lại giơ tay đã ghi",
    handsBackHint: "Dùng khi ghi nhầm. Việc rút lại được ghi vào nhật ký của biểu quyết.",
    handsBackWho: "Rút lại của ai?",
    handsBackAction: (count: string) => `Rút lại ${count} giơ tay`,
    choosePlaces: (places: string) => `Hãy chọn đúng ${places}.`,
    seniorityHint: "Chạm lần lượt, người thâm niên cao nhất trước.",
    lotHint:
      "Thăm được bốc từ một mã bí mật đã cố định trước khi có ai biểu quyết, cùng với mọi lá phiếu. Cả hai được công bố để ai cũng có thể bốc lại.",
    lotAction: "Bốc thăm",
    breakAction: "Xác nhận",
    annul: "Hủy kết quả",
    annulHint: "Không có gì bị xóa. Biểu quyết sẽ được ghi là đã hủy, kèm lý do.",
    annulHiddenHint:
      "Cần một người phụ trách khác xác nhận. Số phiếu chưa công bố thì không ai được xem.",
    annulments: "Đề nghị hủy cần xác nhận",
    proposeAnnulment: "Đề nghị hủy",
    confirmAnnulment: "Xác nhận hủy",
    withdrawAnnulment: "Giữ kết quả",
    annulReason: "Lý do",
    annulMissing: "Hãy viết lý do.",
    closesWhenAllVoted:
      "Biểu quyết này kết thúc khi mọi người có mặt đã biểu quyết. Nếu còn người chưa gửi, hãy đặt thời gian kết thúc: đến giờ sẽ tự kết thúc.",
    resultWaits:
      "Sau khi kết thúc, không ai gửi phiếu được nữa. Bạn xem kết quả trước rồi công bố.",
  },

  announceWaiting: "Biểu quyết đã kết thúc. Chủ trì sẽ công bố kết quả.",
  announcePublished: (sentence: string) => `Đã công bố kết quả. ${sentence}`,
  announceAnnulled: (question: string) => `Đã hủy biểu quyết: ${question}`,
};

export type VotingMessages = typeof votingVi;
