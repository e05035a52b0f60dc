import { computed } from "@preact/signals";
import { type Language, language } from "../language/language";

// These come with the screen that says them: few look at it, and the first load is to stay small.

const vi = {
  title: "Nơi bạn đang đăng nhập",
  explanation:
    "Nếu có thiết bị không phải của bạn hoặc bạn không còn dùng, hãy đăng xuất thiết bị đó. Muốn đăng nhập lại trên thiết bị ấy cần một mã kích hoạt mới.",
  unknown: "Thiết bị không rõ tên",
  current: "Thiết bị này",
  since: (when: string) => `Đăng nhập lúc ${when}`,
  end: "Đăng xuất",
  endOne: (device: string, when: string) => `Đăng xuất ${device}, đăng nhập lúc ${when}`,
  endOthers: "Đăng xuất các thiết bị khác",
  endAll: "Đăng xuất mọi thiết bị",
  confirmOne: (device: string) => `Đăng xuất ${device}?`,
  confirmOthers: "Đăng xuất các thiết bị khác?",
  confirmAll: "Đăng xuất mọi thiết bị?",
  consequence: "Thiết bị đó dừng ngay và cần một mã kích hoạt mới để đăng nhập lại.",
  consequenceOfAll:
    "Thiết bị này cũng bị đăng xuất. Bạn cần một mã kích hoạt mới để đăng nhập lại.",
  home: "Về trang chính",
};

type Words = typeof vi;

const en: Words = {
  title: "Where you are signed in",
  explanation:
    "If a device is not yours, or you no longer use it, sign it out. To sign in on it again takes a new activation code.",
  unknown: "A device that gave no name",
  current: "This device",
  since: (when) => `Signed in at ${when}`,
  end: "Sign out",
  endOne: (device, when) => `Sign out ${device}, signed in at ${when}`,
  endOthers: "Sign out all other devices",
  endAll: "Sign out everywhere",
  confirmOne: (device) => `Sign out ${device}?`,
  confirmOthers: "Sign out all other devices?",
  confirmAll: "Sign out everywhere?",
  consequence: "It stops at once, and takes a new activation code to sign in again.",
  consequenceOfAll:
    "This device is signed out as well. It takes a new activation code to sign in again.",
  home: "To the home page",
};

const CATALOGUES: Record<Language, Words> = { vi, en };

export const words = computed(() => CATALOGUES[language.value]);
